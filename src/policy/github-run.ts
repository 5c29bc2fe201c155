import { printable } from '../base/text.ts';
import {
  as,
  asking,
  choice,
  either,
  type Form,
  list,
  mapping,
  optional,
  such,
  textLike,
  whole,
} from './form.ts';
import { matchesIdentity } from './glob.ts';

/** What a run of GitHub Actions has to be, in GitHub's words. Each member that is there is asked. */
export interface GitHubRun {
  /** `owner/name` whose source was built. */
  readonly repository?: string | undefined;
  /** Number of that repository, which outlives a rename and a take-over of the name. */
  readonly repositoryId?: string | undefined;
  /** Number of its owner. */
  readonly ownerId?: string | undefined;
  /** `refs/heads/main`, or with a `*` that crosses no `/`. */
  readonly ref?: string | undefined;
  /** Path in the repository of the workflow that was started. */
  readonly workflow?: string | undefined;
  /** Events, any of which may have started it. */
  readonly trigger?: readonly string[] | undefined;
  readonly runner?: 'github-hosted' | 'self-hosted' | undefined;
}

const number = as(
  either(
    whole(1, Number.MAX_SAFE_INTEGER),
    textLike(/^[1-9]\d{0,18}$/, 'is not the number that GitHub gave'),
  ),
  String,
);

const run = asking(
  mapping({
    repository: optional(
      textLike(/^[A-Za-z0-9-]+\/[\w.-]+$/, 'is not owner/name'),
      'owner/name of the repository that was built',
    ),
    repositoryId: optional(number, 'its number, which resists a take-over of the name'),
    ownerId: optional(number, 'the number of its owner'),
    ref: optional(
      textLike(/^refs\/(?:heads|tags)\/[^\s*]*\*?[^\s*]*$/, 'is not refs/heads/... or refs/tags/...'),
      'the ref that was built; one * stands for any characters except /',
    ),
    workflow: optional(
      textLike(/^\.github\/workflows\/[\w.-]+\.ya?ml$/, 'is not .github/workflows/NAME.yml'),
      'path of the workflow that was started, which may have called the one that signed',
    ),
    trigger: optional(
      list(textLike(/^[a-z_]+$/, 'is not the name of an event, such as push')),
      'events that may have started the run, such as push',
    ),
    runner: optional(choice('github-hosted', 'self-hosted'), 'where the run took place'),
  }),
);

export const githubRun: Form<GitHubRun> = such(
  run,
  ({ repository, workflow }) =>
    workflow !== undefined && repository === undefined
      ? 'names a workflow without its repository'
      : undefined,
  { member: 'workflow' },
);

type Claims = Readonly<Record<string, string>>;

/**
 * Why the claims are not those of such a run; `undefined` where they are. A claim that is absent fits nothing
 * (A-31, A-40).
 */
export function mismatchOfRun(run: GitHubRun, claims: Claims): string | undefined {
  const wrong = demandsOf(run).find(
    ({ claim, fits }) => !fits(Object.hasOwn(claims, claim) ? claims[claim] : undefined),
  );
  if (wrong === undefined) {
    return undefined;
  }
  const actual = Object.hasOwn(claims, wrong.claim) ? printable(claims[wrong.claim] ?? '') : 'absent';
  return `its claim ${wrong.claim} is ${actual}, not ${wrong.wanted}`;
}

interface Demand {
  readonly claim: string;
  readonly wanted: string;
  readonly fits: (value: string | undefined) => boolean;
}

function demandsOf(run: GitHubRun): readonly Demand[] {
  const home = `https://github.com/${run.repository}`;
  const workflow = run.workflow === undefined ? undefined : `${home}/${run.workflow}`;
  return [
    ...demand('sourceRepositoryUri', run.repository === undefined ? undefined : home),
    ...demand('sourceRepositoryIdentifier', run.repositoryId),
    ...demand('sourceRepositoryOwnerIdentifier', run.ownerId),
    ...demand('sourceRepositoryRef', run.ref, (value) => matchesIdentity(run.ref ?? '', value)),
    ...demand('buildConfigUri', workflow, (value) => value.split('@', 1)[0] === workflow),
    ...demand('buildTrigger', run.trigger?.join(' or '), (value) => run.trigger?.includes(value) === true),
    ...demand('runnerEnvironment', run.runner),
  ];
}

function demand(
  claim: string,
  wanted: string | undefined,
  fits: (value: string) => boolean = (value) => value === wanted,
): readonly Demand[] {
  return wanted === undefined ? [] : [{ claim, wanted, fits: (value) => value !== undefined && fits(value) }];
}
