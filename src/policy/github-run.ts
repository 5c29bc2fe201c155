import { z } from 'zod';
import { printable } from '../base/text.ts';
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

const number = z
  .union([z.int().min(1), z.string().regex(/^[1-9]\d{0,18}$/, 'is not the number that GitHub gave')])
  .transform(String);

export const githubRun: z.ZodType<GitHubRun> = z
  .strictObject({
    repository: z
      .string()
      .regex(/^[A-Za-z0-9-]+\/[\w.-]+$/, 'is not owner/name')
      .optional()
      .describe('owner/name of the repository that was built'),
    repositoryId: number.optional().describe('its number, which resists a take-over of the name'),
    ownerId: number.optional().describe('the number of its owner'),
    ref: z
      .string()
      .regex(/^refs\/(?:heads|tags)\/[^\s*]*\*?[^\s*]*$/, 'is not refs/heads/... or refs/tags/...')
      .optional()
      .describe('the ref that was built; one * stands for any characters except /'),
    workflow: z
      .string()
      .regex(/^\.github\/workflows\/[\w.-]+\.ya?ml$/, 'is not .github/workflows/NAME.yml')
      .optional()
      .describe('path of the workflow that was started, which may have called the one that signed'),
    trigger: z
      .array(z.string().regex(/^[a-z_]+$/, 'is not the name of an event, such as push'))
      .min(1)
      .optional()
      .describe('events that may have started the run, such as push'),
    runner: z.enum(['github-hosted', 'self-hosted']).optional().describe('where the run took place'),
  })
  .refine((run) => Object.values(run).some((value) => value !== undefined), { message: 'asks for nothing' })
  .refine(({ repository, workflow }) => workflow === undefined || repository !== undefined, {
    message: 'names a workflow without its repository',
    path: ['workflow'],
  });

type Claims = Readonly<Record<string, string>>;

/** Why the claims are not those of such a run; `undefined` where they are. A claim that is absent fits nothing. */
export function mismatchOfRun(run: GitHubRun, claims: Claims): string | undefined {
  const wrong = demandsOf(run).find(
    ({ claim, fits }) => !fits(Object.hasOwn(claims, claim) ? claims[claim] : undefined),
  );
  if (wrong === undefined) return undefined;
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
