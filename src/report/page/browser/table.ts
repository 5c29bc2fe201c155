import { formatBytes } from '../../../base/size.ts';
import type { PackedPage } from '../packed.ts';
import {
  everything,
  inOrder,
  nothing,
  type Query,
  type ShownRow,
  type SortKey,
  select,
  usersOf,
} from './data.ts';
import { element, part } from './dom.ts';

/** Rows that are drawn at first, and with each wish for more. */
const pageSize = 30;
/** A print of more is a book. */
const maxPrinted = 2000;
/** Names in a list of a component before the rest is counted. */
const maxNames = 60;

const columns: readonly (readonly [SortKey, string])[] = [
  ['name', 'Name'],
  ['version', 'Version'],
  ['kind', 'Kind'],
  ['license', 'Licence'],
  ['layer', 'Layer'],
  ['size', 'Size'],
];

const origins = ['', 'base', 'added'];

/** The table of everything: search, filters, order, and what is known of one row where it is unfolded. */
export class Table {
  readonly #page: PackedPage;
  readonly #rows: readonly ShownRow[];
  readonly #users: ReadonlyMap<number, readonly number[]>;
  readonly #body = element('tbody');
  readonly #search = part('search', HTMLInputElement);
  readonly #count = part('count', HTMLElement);
  readonly #more = part('more', HTMLButtonElement);
  #query: Query = {
    words: '',
    kind: everything,
    layer: everything,
    license: everything,
    origin: 0,
    by: 'size',
    isDescending: true,
  };
  /** All rows in the order of the query: to search is then to pass over. */
  #ordered: readonly ShownRow[] = [];
  #found: readonly ShownRow[] = [];
  #shown = pageSize;

  constructor(page: PackedPage, rows: readonly ShownRow[], hasSizes: boolean) {
    this.#page = page;
    this.#rows = rows;
    this.#users = usersOf(rows);
    if (!hasSizes) {
      this.#query = { ...this.#query, by: 'name', isDescending: false };
    }
    const table = element('table', { id: 'table' });
    table.append(
      element('caption', { class: 'hidden' }, 'Everything in the image. The headings sort.'),
      element('thead', {}, element('tr', {}, ...columns.map(([key, label]) => this.#heading(key, label)))),
      this.#body,
    );
    part('rows', HTMLElement).replaceChildren(table);
    this.#fillFilters();
    this.#search.addEventListener('input', () => this.ask({ words: this.#search.value }));
    this.#more.addEventListener('click', () => {
      const first = this.#shown;
      this.#shown += pageSize * 4;
      this.#draw();
      this.#body.querySelectorAll<HTMLElement>('tr > th button').item(first)?.focus();
    });
    addEventListener('beforeprint', () => this.#draw(maxPrinted));
    addEventListener('afterprint', () => this.#draw());
    this.ask({});
  }

  /** Changes what is wanted; the rest stays. */
  ask(change: Partial<Query>): void {
    this.#query = { ...this.#query, ...change };
    if (this.#ordered.length === 0 || change.by !== undefined) {
      this.#ordered = inOrder(this.#rows, this.#query);
    }
    this.#found = select(this.#ordered, this.#query);
    this.#shown = pageSize;
    this.#draw();
    for (const heading of document.querySelectorAll('#table thead th')) {
      const isOrder = heading.getAttribute('data-key') === this.#query.by;
      const word = this.#query.isDescending ? 'descending' : 'ascending';
      heading.setAttribute('aria-sort', isOrder ? word : 'none');
    }
  }

  /** Shows one component and nothing else, unfolded. */
  show(row: ShownRow): void {
    for (const filter of document.querySelectorAll<HTMLSelectElement>('#filters select')) {
      filter.selectedIndex = 0;
    }
    this.#search.value = row.purl === '' ? row.name : row.purl;
    this.ask({ words: this.#search.value, kind: -1, layer: -1, license: -1, origin: 0 });
    part('contents', HTMLElement).scrollIntoView();
    const button = this.#body.querySelector<HTMLButtonElement>(`[data-row="${row.at}"]`);
    button?.click();
    button?.focus({ preventScroll: true });
  }

  #draw(most: number = this.#shown): void {
    this.#body.replaceChildren(...this.#found.slice(0, most).map((row) => this.#line(row)));
    const left = this.#found.length - this.#shown;
    this.#more.hidden = left <= 0;
    this.#more.textContent = `Show ${Math.min(left, pageSize * 4)} more`;
    const total = this.#rows.length;
    this.#count.textContent =
      this.#found.length === total ? `${total} components` : `${this.#found.length} of ${total} components`;
  }

  #heading(key: SortKey, label: string): HTMLElement {
    const button = element('button', { type: 'button' }, label);
    button.addEventListener('click', () => {
      const isAgain = this.#query.by === key;
      this.ask({ by: key, isDescending: isAgain ? !this.#query.isDescending : key === 'size' });
    });
    return element('th', { scope: 'col', 'data-key': key, class: `of-${key}` }, button);
  }

  #line(row: ShownRow): HTMLElement {
    const { kinds, layers, licenses } = this.#page;
    const button = element(
      'button',
      { type: 'button', 'aria-expanded': 'false', 'data-row': `${row.at}` },
      row.name,
    );
    const line = element(
      'tr',
      {},
      element('th', { scope: 'row', class: 'of-name' }, button),
      element('td', { class: 'of-version' }, row.version || '–'),
      element(
        'td',
        { class: 'of-kind' },
        element('i', { class: `dot k${row.kind % 8}` }),
        kinds[row.kind]?.[0] ?? '',
      ),
      element('td', { class: 'of-license' }, element('div', {}, licenses[row.license] ?? '–')),
      element('td', { class: 'of-layer' }, `${layers[row.layer]?.[0] ?? '–'}`, ...this.#badge(row)),
      element('td', { class: 'of-size' }, row.size === 0 ? '–' : formatBytes(row.size)),
    );
    button.addEventListener('click', () => {
      const isOpen = button.getAttribute('aria-expanded') === 'true';
      button.setAttribute('aria-expanded', `${!isOpen}`);
      if (isOpen) {
        line.nextElementSibling?.remove();
      } else {
        line.after(
          element(
            'tr',
            { class: 'more' },
            element('td', { colspan: `${columns.length}` }, this.#detail(row)),
          ),
        );
      }
    });
    return line;
  }

  #badge({ origin }: ShownRow): readonly Node[] {
    const word = origins[origin] ?? '';
    return word === ''
      ? []
      : [document.createTextNode(' '), element('span', { class: `badge ${word}` }, word)];
  }

  #detail(row: ShownRow): HTMLElement {
    const { layers, licenses } = this.#page;
    const layer = layers[row.layer];
    const owner = this.#rows[row.owner];
    const users = this.#users.get(row.at) ?? [];
    const list = element('dl');
    const say = (label: string, ...value: readonly (Node | string)[]): void => {
      if (value.length > 0 && value[0] !== '') {
        list.append(element('dt', {}, label), element('dd', {}, ...value));
      }
    };
    say('Package URL', row.purl);
    say('Licence', licenses[row.license] ?? '');
    say('Found in', row.location);
    say('Part of', ...(owner === undefined ? [] : [this.#link(owner)]));
    say(
      'Brought by',
      layer === undefined ? '' : `layer ${layer[0]}${layer[1] === '' ? '' : `: ${layer[1]}`}`,
    );
    say('Needs', ...(row.needs === undefined ? ['the document does not say'] : this.#links(row.needs)));
    say('Needed by', ...this.#links(users));
    return list;
  }

  #links(places: readonly number[]): readonly (Node | string)[] {
    if (places.length === 0) {
      return ['nothing'];
    }
    const rows = places.slice(0, maxNames).flatMap((at) => this.#rows[at] ?? []);
    const rest = places.length - rows.length;
    return [
      ...rows.flatMap((row, at) => (at === 0 ? [this.#link(row)] : [', ', this.#link(row)])),
      ...(rest > 0 ? [` and ${rest} more`] : []),
    ];
  }

  #link(row: ShownRow): HTMLElement {
    const link = element('button', { type: 'button', class: 'link' }, row.name);
    link.addEventListener('click', () => this.show(row));
    return link;
  }

  #fillFilters(): void {
    const { kinds, layers, licenses } = this.#page;
    const used = (key: 'kind' | 'layer' | 'license'): ReadonlySet<number> =>
      new Set(this.#rows.map((row) => row[key]));
    this.#fill(
      'kind',
      'Every kind',
      kinds.map(([, label]) => label),
      used('kind'),
    );
    this.#fill(
      'layer',
      'Every layer',
      layers.map(([index, step]) => `${index} ${step}`),
      used('layer'),
    );
    this.#fill('license', 'Every licence', licenses, used('license'));
    const origin = part('of-origin', HTMLSelectElement);
    if (this.#rows.some((row) => row.origin > 0)) {
      origin.append(
        new Option('Base and added', '0'),
        new Option('From the base', '1'),
        new Option('Added', '2'),
      );
      origin.addEventListener('change', () => this.ask({ origin: Number(origin.value) }));
    } else {
      origin.closest('label')?.remove();
    }
  }

  #fill(
    key: 'kind' | 'layer' | 'license',
    all: string,
    labels: readonly string[],
    used: ReadonlySet<number>,
  ): void {
    const select = part(`of-${key}`, HTMLSelectElement);
    select.append(new Option(all, `${everything}`));
    for (const [at, label] of labels.entries()) {
      if (used.has(at)) {
        select.append(new Option(label.length > 60 ? `${label.slice(0, 60)}…` : label, `${at}`));
      }
    }
    if (used.has(-1)) {
      select.append(new Option('not known', `${nothing}`));
    }
    select.addEventListener('change', () => this.ask({ [key]: Number(select.value) }));
  }
}
