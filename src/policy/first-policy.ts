import { type BuildTerms, formatBuildTerms } from './first-provenance.ts';

/** Who is to sign, as the user names them. */
export type FirstSigner =
  /** @param file Relative to the policy. */
  | { readonly kind: 'key'; readonly name: string; readonly file: string; readonly pem: string }
  | {
      readonly kind: 'workflow';
      readonly name: string;
      readonly workflow: string;
      readonly identities: readonly string[];
    };

/** Rules that a first policy may have, in their order, with what each asks for. */
const offered = {
  signed: {
    terms: (by: string) => `{ by: ${by} }`,
    why: 'The very digest that is to start was signed by one of these.',
  },
  provenance: {
    terms: (by: string) => `{ by: ${by} }`,
    why: 'One of these attests how it was built (SLSA provenance), and it was built as it is today.',
  },
  sbom: {
    terms: (by: string) => `{ by: ${by} }`,
    why: 'One of these attests an SBOM of it, so that everybody knows what is inside.',
  },
  llvm: {
    terms: () => '{ is: pinned }',
    why: 'By that SBOM the LLVM inside is the commit that this release of Triton pins.',
  },
} as const;

export type FirstRule = keyof typeof offered;

export const firstRules = Object.keys(offered) as readonly FirstRule[];

export interface FirstPolicy {
  readonly signer: FirstSigner;
  /** `registry/repository`. */
  readonly match: string;
  /** Rules that the image keeps today. */
  readonly rules: readonly FirstRule[];
  /** What its provenance says of the build. */
  readonly build?: BuildTerms;
  /** What else the signer attests about it, in words. */
  readonly others?: readonly string[];
  /** Rules that it does not keep, with the reason. */
  readonly broken?: ReadonlyMap<FirstRule, string>;
  /** Whether signatures of the key are in a transparency log. */
  readonly isLogged: boolean;
  /** `trusted_root.json`, relative to the policy. */
  readonly root?: string;
  /** What it was made for: `registry/repository@digest`. */
  readonly image?: string;
}

const githubIssuer = 'https://token.actions.githubusercontent.com';

/**
 * A policy as text, with the reason of each line above it. Nothing in it is wider than what was asked for.
 */
export function formatFirstPolicy(first: FirstPolicy): string {
  return [
    ...headOf(first),
    'version: 1',
    '',
    ...trustOf(first),
    ...signersOf(first.signer),
    '',
    ...scopeOf(first),
    '',
  ].join('\n');
}

function headOf({ image }: FirstPolicy): readonly string[] {
  return [
    `# A first policy${image === undefined ? '' : `, made by tcf policy init from what is attached to`}`,
    ...(image === undefined ? [] : [`# ${oneLine(image)}`]),
    '#',
    '# Every policy that applies has to allow an image, so this one can tighten what others ask and loosen nothing.',
    '# tcf policy check reads it, tcf policy explain IMAGE says which rules decide; docs/policy.md has all of them.',
    '',
  ];
}

function trustOf({ isLogged, root, signer }: FirstPolicy): readonly string[] {
  const isUnlogged = signer.kind === 'key' && !isLogged;
  const lines = [
    ...(isUnlogged
      ? [
          '  # Signatures of this key are in no transparency log. Where they will be, leave this line away: then',
          '  # nobody who steals the key signs unseen.',
          '  logs: { key: 0 }',
        ]
      : []),
    ...(root === undefined
      ? []
      : [
          '  # The certificate authority and the logs that prove who signed.',
          `  root: ${JSON.stringify(root)}`,
        ]),
  ];
  return lines.length === 0 ? [] : ['trust:', ...lines, ''];
}

function signersOf(signer: FirstSigner): readonly string[] {
  if (signer.kind === 'key') {
    return [
      'signers:',
      '  # Whoever holds the private key of this public one.',
      `  ${signer.name}: { keyFile: ${JSON.stringify(signer.file)} }`,
    ];
  }
  return [
    'signers:',
    `  # The workflow ${oneLine(signer.workflow)} and no other: not another file, another branch or a fork.`,
    ...signer.identities.flatMap((identity, at) => [
      `  ${nameOf(signer, at)}:`,
      `    issuer: ${githubIssuer}`,
      `    identity: ${JSON.stringify(identity)}`,
    ]),
  ];
}

/** Names of the signers of a policy, for `by`. */
function namesOf(signer: FirstSigner): readonly string[] {
  return signer.kind === 'key' ? [signer.name] : signer.identities.map((_, at) => nameOf(signer, at));
}

function nameOf({ name }: FirstSigner, at: number): string {
  return at === 0 ? name : `${name}-${at + 1}`;
}

function scopeOf(first: FirstPolicy): readonly string[] {
  const { broken = new Map(), match, others = [], rules, signer } = first;
  const by = `[${namesOf(signer).join(', ')}]`;
  const ruleLines = firstRules.flatMap((rule) => {
    const { terms, why } = offered[rule];
    if (rules.includes(rule)) {
      return [`      # ${why}`, ...keptLines(rule, by, first).map((line) => `      ${line}`)];
    }
    const reason = broken.get(rule);
    return reason === undefined
      ? []
      : [`      # Not kept today (${oneLine(reason)}):`, `      # ${rule}: ${terms(by)}`];
  });
  const otherLines = others.map((other) => `      #   ${oneLine(other)}`);
  return [
    'scopes:',
    '  # Images of this name, whatever their tag. An image in no scope is denied.',
    `  - match: ${JSON.stringify(match)}`,
    '    require:',
    ...ruleLines,
    ...(others.length === 0
      ? []
      : ['      # Attested by these as well, and asked for by no line here (docs/policy.md has the rules):']),
    ...otherLines,
  ];
}

/** The lines of a rule that the image keeps; that of a build says which one. */
function keptLines(rule: FirstRule, by: string, { build = {} }: FirstPolicy): readonly string[] {
  const details = rule === 'provenance' ? formatBuildTerms(build) : [];
  return details.length === 0
    ? [`${rule}: ${offered[rule].terms(by)}`]
    : [`${rule}:`, `  by: ${by}`, ...details.map((line) => `  ${line}`)];
}

/** A comment ends with its line, whatever stands in it. */
function oneLine(text: string): string {
  return text.replaceAll(/[^ -~]/g, '?').slice(0, 300);
}
