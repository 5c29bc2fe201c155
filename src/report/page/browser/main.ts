import type { PackedPage } from '../packed.ts';
import { toRows } from './data.ts';
import { part } from './dom.ts';
import { hasSizes } from './map.ts';
import { emptyMap, MapView } from './map-view.ts';
import { Table } from './table.ts';

const themes = ['auto', 'light', 'dark'] as const;

/** Light, dark, or as the system wants it. */
function startThemes(): void {
  const button = part('theme', HTMLButtonElement);
  let at = 0;
  button.hidden = false;
  button.addEventListener('click', () => {
    at = (at + 1) % themes.length;
    document.documentElement.dataset['theme'] = themes[at] ?? 'auto';
    button.textContent = `Theme: ${themes[at]}`;
  });
}

/** On paper nobody unfolds anything. */
function openForPrint(): void {
  const closed = () => document.querySelectorAll<HTMLDetailsElement>('details:not([open])');
  let opened: readonly HTMLDetailsElement[] = [];
  addEventListener('beforeprint', () => {
    opened = [...closed()];
    for (const details of opened) {
      details.open = true;
    }
  });
  addEventListener('afterprint', () => {
    for (const details of opened) {
      details.open = false;
    }
  });
}

/** The data of the page (pack.ts). It is our own, and nobody else could have put it there. */
async function readData(): Promise<PackedPage> {
  const packed = Uint8Array.from(atob(part('data', HTMLScriptElement).text.trim()), (char) =>
    char.charCodeAt(0),
  );
  const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return JSON.parse(await new Response(plain).text());
}

async function start(): Promise<void> {
  startThemes();
  openForPrint();
  const page = await readData();
  const rows = toRows(page);
  const table = new Table(page, rows, hasSizes(rows));
  if (rows.length === 0) {
    part('map', HTMLElement).replaceChildren(emptyMap());
  } else {
    new MapView(page, rows, (row) => table.show(row));
  }
  document.documentElement.dataset['ready'] = 'true';
}

start().catch((error: unknown) => {
  part('count', HTMLElement).textContent = `The table cannot be shown: ${String(error)}`;
});
