import { formatBytes } from '../../../base/size.ts';
import type { PackedPage } from '../packed.ts';
import type { ShownRow } from './data.ts';
import { element, part, svg } from './dom.ts';
import { hasSizes, layOut, type MapCell, type MapOrder, toGroups } from './map.ts';
import type { Box } from './treemap.ts';

/** Pixels that a character of a label takes. */
const letter = 6.4;
const leastLabel = 34;

/** The map of what takes the space, and its two orders. */
export class MapView {
  readonly #page: PackedPage;
  readonly #rows: readonly ShownRow[];
  readonly #choose: (row: ShownRow) => void;
  readonly #frame = part('map', HTMLElement);
  readonly #bySize: boolean;
  #order: MapOrder = 'kind';
  #width = 0;

  constructor(page: PackedPage, rows: readonly ShownRow[], choose: (row: ShownRow) => void) {
    this.#page = page;
    this.#rows = rows;
    this.#choose = choose;
    this.#bySize = hasSizes(rows);
    for (const button of document.querySelectorAll<HTMLButtonElement>('#orders button')) {
      button.addEventListener('click', () => {
        for (const other of document.querySelectorAll('#orders button')) {
          other.setAttribute('aria-pressed', `${other === button}`);
        }
        this.#order = button.value === 'layer' ? 'layer' : 'kind';
        this.#draw();
      });
    }
    this.#frame.addEventListener('keydown', (event) => this.#walk(event));
    this.#draw();
    new ResizeObserver(() => {
      if (this.#frame.clientWidth !== this.#width) {
        this.#draw();
      }
    }).observe(this.#frame);
    if (!this.#bySize) {
      part('map-note', HTMLElement).textContent =
        'This SBOM does not say how large anything is, so every component counts the same.';
    }
  }

  #draw(): void {
    this.#width = this.#frame.clientWidth;
    const height = this.#width < 600 ? 520 : 460;
    const groups = toGroups(this.#page, this.#rows, this.#order);
    const drawing = svg('svg', {
      viewBox: `0 0 ${this.#width} ${height}`,
      width: this.#width,
      height,
      role: 'group',
      'aria-label':
        'Map of what takes the space. Arrow keys go from one part to the next, Enter shows it in the table.',
    });
    for (const { box, cells, group } of layOut(groups, { x: 0, y: 0, width: this.#width, height })) {
      const title = this.#fit(`${group.label}  ${this.#measure(group.weight)}`, box.width - 8);
      drawing.append(
        svg('rect', { ...rounded(box, 1), class: 'group', rx: 6 }),
        svg('text', { x: box.x + 6, y: box.y + 13, class: 'group-name' }, title),
        ...cells.map(([cell, place]) => this.#cell(cell, place)),
      );
    }
    this.#frame.replaceChildren(drawing);
    this.#frame.querySelector('[role=button]')?.setAttribute('tabindex', '0');
  }

  #cell(cell: MapCell, box: Box): SVGElement {
    const { kind, row, weight } = cell;
    const name = `${cell.label}${row === undefined || row.version === '' ? '' : ` ${row.version}`}`;
    const measure = this.#measure(weight);
    const made = svg('g', { class: kind < 0 ? 'cell rest' : `cell k${kind % 8}` });
    made.append(svg('title', {}, `${name}, ${measure}`), svg('rect', { ...rounded(box, 0.75), rx: 3 }));
    if (box.width > leastLabel && box.height > 16) {
      made.append(
        svg(
          'text',
          { x: box.x + 5, y: box.y + 14, 'aria-hidden': 'true' },
          this.#fit(cell.label, box.width - 8),
        ),
      );
    }
    if (box.width > leastLabel * 1.6 && box.height > 34) {
      made.append(
        svg(
          'text',
          { x: box.x + 5, y: box.y + 29, class: 'size', 'aria-hidden': 'true' },
          this.#fit(measure, box.width - 8),
        ),
      );
    }
    if (row !== undefined) {
      made.setAttribute('role', 'button');
      made.setAttribute('tabindex', '-1');
      made.addEventListener('click', () => this.#choose(row));
      made.addEventListener('keydown', (event) => {
        if (event.key === 'Enter' || event.key === ' ') {
          event.preventDefault();
          this.#choose(row);
        }
      });
    }
    return made;
  }

  #measure(weight: number): string {
    return this.#bySize ? formatBytes(weight) : `${weight}`;
  }

  #fit(text: string, width: number): string {
    const letters = Math.floor(width / letter);
    if (text.length <= letters) {
      return text;
    }
    return letters < 3 ? '' : `${text.slice(0, letters - 1)}…`;
  }

  /** One stop for the tab key; the arrows walk inside. */
  #walk(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step === undefined) {
      return;
    }
    event.preventDefault();
    const cells = [...this.#frame.querySelectorAll<SVGElement>('[role=button]')];
    const at = cells.findIndex((cell) => cell.matches(':focus'));
    const next = cells[(at + step + cells.length) % cells.length];
    cells[at]?.setAttribute('tabindex', '-1');
    next?.setAttribute('tabindex', '0');
    next?.focus();
  }
}

function rounded({ height, width, x, y }: Box, inset: number): Readonly<Record<string, number>> {
  const near = (value: number): number => Math.round(value * 10) / 10;
  return {
    x: near(x + inset),
    y: near(y + inset),
    width: near(Math.max(0, width - 2 * inset)),
    height: near(Math.max(0, height - 2 * inset)),
  };
}

/** In place of a map of nothing. */
export function emptyMap(): HTMLElement {
  return element('p', {}, 'There is nothing in this image.');
}
