import { parseAst } from 'rolldown/parseAst';
import { isNode, type Node, nodesOf } from '../support/syntax.ts';

/*
 * The checks of a source file, each with the text of the file without it, and the functions of the file,
 * which can say when they are entered.
 */

/** The name of the function, on `globalThis`, that a traced function calls with its id. */
export const tracer = 'tcfEntered';

export interface Mutant {
  readonly file: string;
  /** `src/attest/dsse.ts:84 does not refuse: throw ...` */
  readonly title: string;
  readonly text: string;
  /** The id of the innermost function around the check; nothing for what runs when the module loads. */
  readonly within: string | undefined;
}

type Span = Pick<Node, 'start' | 'end'>;

interface Change {
  readonly at: Span;
  readonly by: string;
  readonly what: string;
}

function parse(source: string): readonly Node[] {
  return [...nodesOf(parseAst(source, { lang: 'ts' }) as unknown as Node)];
}

/** What the node reads as when the check in it is gone; nothing for a node without a check. */
function* changesOf(node: Node): Generator<Change> {
  const part = (name: string) => (isNode(node[name]) ? [node[name]] : []);
  switch (node.type) {
    case 'ThrowStatement':
      yield { at: node, by: ';', what: 'does not refuse' };
      break;
    case 'ExpressionStatement':
      if (part('expression')[0]?.type === 'CallExpression') {
        yield { at: node, by: ';', what: 'does not check' };
      }
      break;
    case 'IfStatement':
      if (part('alternate').length === 0 && part('consequent').some(isReturn)) {
        yield { at: node, by: ';', what: 'does not stop there' };
      }
      break;
    case 'LogicalExpression': {
      const gone = { '||': ['false', 'drops one case'], '&&': ['true', 'drops one condition'] } as const;
      const [by, what] = gone[String(node['operator']) as '||' | '&&'] ?? [];
      if (by === undefined) {
        break;
      }
      for (const at of [...part('left'), ...part('right')]) {
        yield { at, by, what };
      }
      break;
    }
    case 'Literal': {
      const [, open, pattern = '', close] = /^\/(\^?)(.*?)(\$?)\/[a-z]*$/s.exec(String(node['raw'])) ?? [];
      const { start } = node;
      if (open === '^') {
        yield { at: { start: start + 1, end: start + 2 }, by: '', what: 'takes what ends so' };
      }
      const end = start + 1 + (open?.length ?? 0) + pattern.length;
      if (close === '$') {
        yield { at: { start: end, end: end + 1 }, by: '', what: 'takes what begins so' };
      }
      break;
    }
  }
}

function isReturn(statement: Node): boolean {
  if (statement.type === 'ReturnStatement') {
    return true;
  }
  const body = statement.type === 'BlockStatement' ? statement['body'] : [];
  return Array.isArray(body) && body.length === 1 && isReturn(body[0]);
}

/** The functions that have a body, outer ones first; the place in this list is part of their id. */
function functionsOf(nodes: readonly Node[]): readonly (Span & { readonly body: Node })[] {
  return nodes.flatMap(({ type, start, end, body }) =>
    type.includes('Function') && isNode(body) ? [{ start, end, body }] : [],
  );
}

export function mutantsOf(file: string, source: string): readonly Mutant[] {
  const nodes = parse(source);
  const functions = functionsOf(nodes);
  return nodes.flatMap((node) =>
    [...changesOf(node)].map(({ at, by, what }) => {
      const line = source.slice(0, at.start).split('\n').length;
      const { start, end } = node.type === 'Literal' ? node : at;
      const subject = source.slice(start, end).replaceAll(/\s+/g, ' ').slice(0, 90);
      const innermost = functions.findLastIndex((one) => one.start <= at.start && at.end <= one.end);
      return {
        file,
        title: `${file}:${line} ${what}: ${subject}`,
        text: source.slice(0, at.start) + by + source.slice(at.end),
        within: innermost < 0 ? undefined : `${file}#${innermost}`,
      };
    }),
  );
}

/** The source, in which every function calls `globalThis.tcfEntered` with its id when it is entered. */
export function traced(file: string, source: string): string {
  const additions = functionsOf(parse(source)).flatMap(({ body }, place) => {
    const call = `globalThis.${tracer}?.(${JSON.stringify(`${file}#${place}`)})`;
    return body.type === 'BlockStatement'
      ? [{ at: body.start + 1, text: `${call};` }]
      : [
          { at: body.start, text: `(${call}, ` },
          { at: body.end, text: ')' },
        ];
  });
  let text = source;
  for (const addition of additions.toSorted((a, b) => b.at - a.at)) {
    text = text.slice(0, addition.at) + addition.text + text.slice(addition.at);
  }
  return text;
}
