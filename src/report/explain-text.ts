import { printable } from '../base/text.ts';
import { formatImageRef, type ImageRef } from '../oci/reference.ts';
import type { AskedRule, Explained } from '../policy/explain.ts';
import { describeTrusted } from '../policy/signer.ts';

/** Which policies ask what of an image of this name, for people; with a line feed at the end. */
export function toExplainText(name: ImageRef, explained: readonly Explained[]): string {
  const undecided = explained.filter(({ scope }) => scope === undefined).length;
  const verdict =
    undecided > 0
      ? 'denied whatever is attached to it: it is in no scope of a policy'
      : `allowed if ${explained.length === 1 ? 'its policy says' : `all ${explained.length} policies say`} so`;
  return `${[`${formatImageRef(name)}: ${verdict}`, ...explained.flatMap(explainedLines)].join('\n')}\n`;
}

const line = (text: string): string => printable(text, 4000);

function explainedLines({
  asked,
  exceptions,
  outweighed,
  policy,
  scope,
  scopes,
  signers,
}: Explained): readonly string[] {
  const head = ['', `policy ${line(policy.name)}`];
  if (scope === undefined) {
    return [
      ...head,
      `  ✗ no scope covers it: there ${scopes.length === 1 ? 'is' : 'are'} ${scopes.join(', ')}`,
    ];
  }
  const why =
    outweighed.length === 0 ? 'the only one that covers it' : `more specific than ${outweighed.join(', ')}`;
  return [
    ...head,
    `  scope ${scope.match} decides: ${why}`,
    `  multiArch ${scope.multiArch}: ${multiArch[scope.multiArch]}`,
    ...asked.flatMap(ruleLines),
    ...(signers.length === 0 ? [] : ['  signers']),
    ...signers.map((signer) => `    ${line(describeTrusted(signer))}`),
    ...exceptions.map(
      ({ digest, expires, owner, reason, rules }) =>
        `  exception from ${rules.join(', ')} for ${digest} until ${expires}, by ${line(owner)}: ${line(reason)}`,
    ),
  ];
}

const multiArch = {
  either: 'of an image for several platforms the index or the manifest of the platform is signed',
  index: 'of an image for several platforms the index is signed',
  platform: 'of an image for several platforms the manifest of the platform is signed',
} as const;

function ruleLines({ mode, params, rule, summary }: AskedRule): readonly string[] {
  const asked = Object.entries(params as object).map(
    ([key, value]) => `${key}: ${printable(JSON.stringify(value), 2000)}`,
  );
  return [
    `  ${mode === 'warn' ? '!' : '•'} ${rule}${mode === 'warn' ? ' (only warns)' : ''}: ${summary}`,
    ...asked.map((text) => `      ${line(text)}`),
  ];
}
