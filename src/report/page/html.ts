import { printable } from '../../base/text.ts';

/** Text of HTML in which everything that came from elsewhere is escaped. Made by `html` only. */
export class Html {
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
  }

  /** What a template of this folder says, with its holes filled. */
  static of(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
    return new Html(
      strings.map((text, at) => `${text}${at < values.length ? fill(values[at]) : ''}`).join(''),
    );
  }
}

export type HtmlValue = Html | number | string | readonly Html[] | undefined;

/**
 * HTML from a template: a text in a hole is escaped, control characters and what turns the direction of text
 * included; HTML and lists of it stay. Holes stand between tags or in quoted attributes, never in a script, a
 * style or the name of a tag.
 */
export const html: typeof Html.of = Html.of;

/** Longer texts make a page that nobody reads; what is cut ends with an ellipsis. */
const maxText = 1000;

function fill(value: HtmlValue): string {
  if (value === undefined) {
    return '';
  }
  if (value instanceof Html) {
    return value.text;
  }
  if (typeof value === 'string' || typeof value === 'number') {
    return escapeHtml(printable(String(value), maxText));
  }
  return value.map(({ text }) => text).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For the text between tags and for quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => entities[char] ?? char);
}
