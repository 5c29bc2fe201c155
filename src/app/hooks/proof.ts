import { broken, type Diagnostic, ok, unknown } from '../../base/diagnostic.ts';
import { TcfError } from '../../base/error.ts';
import { formatImageRef, parseImageRef } from '../../oci/reference.ts';
import type { DecisionEntry } from '../../report/decision-entry.ts';
import type { Host } from '../../system/host.ts';
import { entryNumbers, readEntry } from '../decision-log.ts';
import type { StatusRequest } from './request.ts';

/** What a runtime was asked to start, and what it said. */
export interface Attempt {
  /** The runtime could be asked at all. */
  readonly answered: boolean;
  /** Whether it went on to start or fetch it. */
  readonly started: boolean;
  /** One line. */
  readonly said: string;
}

/** The decisions that the hook logged while `attempt` ran, and how it went. */
async function watch(
  host: Host,
  attempt: () => Promise<Attempt>,
): Promise<Attempt & { readonly entries: readonly DecisionEntry[] }> {
  const before = new Set(entryNumbers(host));
  const result = await attempt();
  const entries: DecisionEntry[] = [];
  for (const number of entryNumbers(host).filter((one) => !before.has(one))) {
    try {
      const { logged } = await readEntry(host, number);
      if (logged.kind === 'decision') {
        entries.push(logged.entry);
      }
    } catch (error) {
      if (!(error instanceof TcfError)) {
        throw error;
      }
    }
  }
  return { ...result, entries };
}

/** Something unsigned has to be refused, and by this hook: its log has the refusal of exactly this name. */
export async function proveRefusal(
  host: Host,
  verb: string,
  name: string,
  hint: string,
  attempt: () => Promise<Attempt>,
): Promise<Diagnostic> {
  const { answered, entries, said, started } = await watch(host, attempt);
  if (!answered) {
    return unknown('hook.refusal', `nothing unsigned could be tried: ${said}`, hint);
  }
  if (started) {
    return broken('hook.refusal', `it let an unsigned image start`, hint);
  }
  const decided = entries.filter((entry) => entry.verb === verb && entry.asked.includes(name));
  if (decided.length === 0) {
    return broken('hook.refusal', `it was not asked about an unsigned image: ${said}`, hint);
  }
  return decided.some(({ verdict }) => verdict === 'allow')
    ? broken('hook.refusal', 'it allowed an unsigned image', hint)
    : ok('hook.refusal', 'it denied an unsigned image');
}

/** Something signed has to pass, or a hook that denies everything would look like one that works. */
export async function proveAllowance(
  host: Host,
  verb: string,
  image: string | undefined,
  hint: string,
  attempt: (image: string) => Promise<Attempt>,
): Promise<Diagnostic> {
  if (image === undefined) {
    return unknown(
      'hook.allowance',
      'not proven that a signed image starts: the log names none that was allowed here',
      `name one that the policy allows: ${hint} --image IMAGE`,
    );
  }
  const { answered, entries, said } = await watch(host, () => attempt(image));
  if (!answered) {
    return unknown('hook.allowance', `${image} could not be tried: ${said}`, hint);
  }
  const repository = repositoryOf(image);
  // An image may have several digests here, and each is asked about until one is allowed.
  const decided = entries.filter((entry) => entry.verb === verb && entry.asked.startsWith(repository));
  const last = decided.at(-1);
  if (last === undefined) {
    return broken('hook.allowance', `it was not asked about ${image}: ${said}`, hint);
  }
  return decided.some(({ verdict }) => verdict === 'allow')
    ? ok('hook.allowance', `it allowed ${image}, which is signed`)
    : broken('hook.allowance', `it refused ${image}: ${last.reasons.join('; ')}`, `tcf verify ${image}`);
}

/** `--image`, else what the hook allowed last, by its digest. */
export async function imageToAllow(
  host: Host,
  verb: string,
  request: StatusRequest,
): Promise<string | undefined> {
  const given = request.image;
  if (given !== undefined) {
    return given;
  }
  for (const number of [...entryNumbers(host)].reverse().slice(0, 1000)) {
    try {
      const { logged } = await readEntry(host, number);
      if (logged.kind !== 'decision') {
        continue;
      }
      const { entry } = logged;
      if (entry.verb === verb && entry.verdict === 'allow' && entry.image !== undefined) {
        return entry.image;
      }
    } catch (error) {
      if (!(error instanceof TcfError)) {
        throw error;
      }
    }
  }
  return undefined;
}

/** `registry/repository`, by which a hook asks whatever tag was typed. */
function repositoryOf(image: string): string {
  const { registry, repository } = parseImageRef(image);
  return formatImageRef({ registry, repository });
}
