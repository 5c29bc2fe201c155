import { type Command, Help, type Option } from 'commander';
import { examples } from './examples.ts';
import type { Verb } from './verb.ts';

/** Options that many verbs have stand together in their help. The others are what the verb is about. */
const groups: Readonly<Record<string, readonly string[]>> = {
  'Policy and trust:': [
    'policy',
    'trusted-root',
    'update-trust',
    'as',
    'cache',
    'no-cache',
    'db',
    'attested',
    'require',
  ],
  'Signer:': [
    ...['key', 'signer-cmd', 'identity-token', 'oidc-flow', 'oidc-issuer', 'oidc-client-id', 'instance'],
    ...['signing-config', 'fulcio-url', 'rekor-url', 'rekor-version', 'tsa-url'],
  ],
  'SBOM:': [
    ...[
      'profile',
      'author',
      'supplier',
      'security-contact',
      'support-end',
      'base',
      'jobs',
      'nested',
      'unique-serial',
    ],
    ...['verify-layers', 'spec-version'],
  ],
  'Image and registry:': ['platform', 'allow-http', 'timeout', 'referrers'],
  'Output:': ['output', 'format', 'json', 'sarif', 'summary', 'print-digest', 'quiet', 'help'],
};
const groupOf = new Map(
  Object.entries(groups).flatMap(([group, names]) => names.map((name) => [name, group] as const)),
);

/** Declares all options of a verb: its own, and those that every verb has. */
export function declareVerb(command: Command, verb: Verb, hidden?: boolean): void {
  verb.declare(command);
  // What runtimes call, and whoever leaves its words to an engine, reads its own flags.
  if (hidden || verb.flags !== undefined) {
    return;
  }
  command.option('--quiet', 'print nothing on standard error but errors; the exit code says the rest');
  command.configureHelp({ optionDescription });
  for (const option of command.options) {
    const group = groupOf.get(option.long?.slice(2) ?? '');
    if (group !== undefined) {
      option.helpGroup(group);
    }
  }
  // Groups stand in the order of their first option: what the verb is about comes first.
  (command.options as Option[]).sort((a, b) => placeOf(a) - placeOf(b));
}

/** Own options, then the groups in the order of the table. */
function placeOf({ helpGroupHeading = '' }: Option): number {
  return Object.keys(groups).indexOf(helpGroupHeading);
}

/** An empty list is how nothing is kept, and no default that anybody chose. */
function optionDescription(option: Option): string {
  const isEmpty = Array.isArray(option.defaultValue) && option.defaultValue.length === 0;
  return isEmpty ? option.description : new Help().optionDescription(option);
}

/** The examples of `tcf PATH`, for its help; empty where there are none. */
export function formatExamples(path: string): string {
  const shown = examples[path.replace(/^tcf /, '')] ?? [];
  const lines = shown.map(([call, what]) => `  tcf ${call}\n      ${what}`);
  return lines.length === 0 ? '' : `Examples:\n${lines.join('\n')}\n\n`;
}
