import { TcfError } from '../base/error.ts';
import { digestOf } from '../oci/digest.ts';
import { parseImageRef, pin } from '../oci/reference.ts';
import { decide } from './decide.ts';
import type { Policy, Scope } from './document.ts';
import type { ImageFacts } from './evidence.ts';
import type { Expression } from './expression.ts';
import { isInScope } from './scope.ts';

/**
 * What a policy says of images to which nothing is attached. A scope that allows each of them can deny
 * nothing, however its rules are worded: with `mode: warn` everywhere, or by an expression that is true
 * whatever was signed.
 */
export type BareVerdict = 'all-allowed' | 'none-allowed' | 'some-allowed';

export function judgeBareImages(policy: Policy, scope: Scope, now: Date): BareVerdict {
  const verdicts = samples(scope, textsOf(scope), now).map(
    (facts) => decide(policy, { ...facts, candidates: [] }).verdict,
  );
  if (verdicts.every((verdict) => verdict === 'allow')) {
    return 'all-allowed';
  }
  return verdicts.some((verdict) => verdict === 'allow') ? 'some-allowed' : 'none-allowed';
}

/** Expressions of the scope that are true of every image and at every time, with nothing attached at all. */
export function constantExpressions({ expressions }: Policy, scope: Scope, now: Date): readonly string[] {
  return celOf(scope).filter((cel) => {
    const expression = expressions.get(cel);
    return expression !== undefined && isConstant(expression, samples(scope, literalsIn(cel), now));
  });
}

function isConstant(expression: Expression, images: readonly ImageFacts[]): boolean {
  return images.every(({ image: { digest, registry, repository }, now }) => {
    const image = { registry, repository, digest, platform: digest };
    const nothing = { signatures: undefined, attestations: undefined, sbom: undefined };
    return expression({ image, now, ...nothing }).kind === 'true';
  });
}

function celOf({ require }: Scope): readonly string[] {
  const params = require['expressions'] as
    | { readonly all?: readonly { readonly that: string }[] }
    | undefined;
  return (params?.all ?? []).map(({ that }) => that);
}

function textsOf(scope: Scope): readonly string[] {
  return celOf(scope).flatMap(literalsIn);
}

/** Texts that an expression compares with: names and times for which its answer may change. */
function literalsIn(cel: string): readonly string[] {
  return [...cel.matchAll(/"([^"\\]*)"|'([^'\\]*)'/g)].map(([, double, single]) => double ?? single ?? '');
}

/** An expression that fills its budget takes some seconds; this many of them are waited for. */
const maxSamples = 24;
const hour = 3_600_000;
/** Other hours, weekdays, months and years than those of now. */
const offsets = [7, 13, 24, 50, 77, 100, 126, 150, 24 * 40, 24 * 200, 24 * 400, 24 * 4000, -24 * 4000];

/** Images of the scope under different names, and at different times: first those that the texts speak of. */
function samples(scope: Scope, texts: readonly string[], now: Date): readonly ImageFacts[] {
  const times = texts.flatMap(timesAround);
  const names = [
    ...texts.flatMap((text) => namesFrom(scope, text)),
    scope.match,
    `${scope.match}/x`,
    `${scope.match}/x/y`,
  ];
  const images = [...new Set(names)].flatMap((name) => imageCalled(scope, name));
  const [first] = images;
  return [
    ...images.map((image): ImageFacts => ({ image, now })),
    ...(first === undefined
      ? []
      : [...times, ...offsets.map((by) => later(now, by))].map((time) => ({ image: first, now: time }))),
  ].slice(0, maxSamples);
}

function namesFrom({ match }: Scope, text: string): readonly string[] {
  const registry = match.split('/', 1)[0] ?? '';
  const name = text.replace(/^\/+|\/+$/g, '');
  return [text, `${registry}/${name}`, `${registry}/${name}/x`, `${match}/${name}`, `${match}/x@${name}`];
}

function imageCalled(scope: Scope, name: string): readonly ImageFacts['image'][] {
  try {
    const { digest, ...ref } = parseImageRef(name);
    return isInScope(scope.match, ref) ? [pin(ref, digest ?? digestOf(Buffer.from(name)))] : [];
  } catch (error) {
    if (error instanceof TcfError && error.code === 'reference.malformed') {
      return [];
    }
    throw error;
  }
}

function timesAround(text: string): readonly Date[] {
  const time = Date.parse(text);
  return Number.isNaN(time) ? [] : [time - 1000, time, time + 1000].map((each) => new Date(each));
}

function later(now: Date, hours: number): Date {
  return new Date(now.getTime() + hours * hour);
}
