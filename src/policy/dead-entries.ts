import type { Diagnostic } from '../base/diagnostic.ts';
import { quoted } from '../base/text.ts';
import { isOrdered } from '../bom/vers.ts';
import { type ComponentShape, formatComponent, toComponentPattern } from './component-pattern.ts';
import { type DeadWhy, deadClaim, deadIdentity, deadIssuer } from './dead-identity.ts';
import type { Policy, Scope } from './document.ts';
import { isKnownType } from './purl-pattern.ts';
import type { AttestedParams } from './rules/attested.ts';
import type { ComponentsParams } from './rules/components.ts';
import type { DenyParams } from './rules/deny.ts';
import type { TrustedIdentity } from './signer.ts';

/** Scopes, signers and entries that can match nothing, each with the way out: they look like protection. */
export function deadEntries({ scopes, signers }: Policy): readonly Diagnostic[] {
  const [denyList] = scopes.map(({ require }) => (require['deny'] ?? {}) as DenyParams);
  return [
    ...[...signers.values()].flatMap((signer) => (signer.kind === 'keyless' ? deadSigner(signer) : [])),
    ...(denyList?.identities ?? []).flatMap(({ identity, issuer }) =>
      toDiagnostics(
        `deny.identities: ${quoted(identity)}`,
        (issuer === undefined ? undefined : deadIssuer(issuer)) ?? deadIdentity(identity, issuer),
      ),
    ),
    ...scopes.flatMap(deadScope),
    ...scopes.flatMap(deadComponents),
    ...scopes.flatMap(deadTypes),
  ];
}

function toDiagnostics(subject: string, why: DeadWhy | undefined): readonly Diagnostic[] {
  if (why === undefined) {
    return [];
  }
  return [
    {
      level: 'error',
      code: 'policy.dead-entry',
      subject,
      message: `can match nothing: ${why.why}`,
      hint: why.hint,
    },
  ];
}

function deadSigner({ claims, github, identity, issuer, name }: TrustedIdentity): readonly Diagnostic[] {
  const subject = `signers.${name}`;
  return [
    ...toDiagnostics(subject, deadIssuer(issuer) ?? deadIdentity(identity, issuer)),
    ...Object.entries(claims).flatMap(([claim, value]) =>
      toDiagnostics(`${subject}.claims.${claim}`, deadClaim(claim, value)),
    ),
    ...(github === undefined || isGitHub(issuer)
      ? []
      : toDiagnostics(`${subject}.github`, {
          why: `certificates for ${issuer} say nothing of a run of GitHub`,
          hint: 'ask for it with the issuer https://token.actions.githubusercontent.com',
        })),
  ];
}

const isGitHub = (issuer: string): boolean =>
  /^https:\/\/token\.actions\.(?:githubusercontent\.com|[^/]+\.ghe\.com)(?:\/|$)|\/_services\/token$/.test(
    issuer,
  );

/** Web sites that people take for a registry. */
const noRegistries: Readonly<Record<string, string>> = {
  'hub.docker.com': 'docker.io',
  'www.docker.com': 'docker.io',
  'docker.com': 'docker.io',
  'github.com': 'ghcr.io',
  'gitlab.com': 'registry.gitlab.com',
};

function deadScope({ match }: Scope): readonly Diagnostic[] {
  const [registry = '', ...path] = match.split('/');
  const meant = Object.hasOwn(noRegistries, registry) ? noRegistries[registry] : undefined;
  if (meant === undefined) {
    return [];
  }
  return toDiagnostics(`scopes: ${match}`, {
    why: `${registry} is a web site, not a registry`,
    hint: `write ${[meant, ...path].join('/')}`,
  });
}

/** Types are compared whole. */
function deadTypes({ match, require }: Scope): readonly Diagnostic[] {
  const { predicates = [] } = (require['attested'] ?? {}) as Partial<AttestedParams>;
  return predicates
    .filter(({ type }) => type.includes('*'))
    .flatMap(({ type }) =>
      toDiagnostics(`${match}: attested: ${quoted(type)}`, {
        why: 'a predicate type is compared whole, and has no pattern',
        hint: 'write each type that is wanted',
      }),
    );
}

function deadComponents({ match, require }: Scope): readonly Diagnostic[] {
  const { deny = [], require: required = [] } = (require['components'] ?? {}) as ComponentsParams;
  return [...deny, ...required].flatMap((entry) =>
    toDiagnostics(`${match}: components: ${formatComponent(entry)}`, deadComponent(entry)),
  );
}

function deadComponent(entry: ComponentShape): DeadWhy | undefined {
  const { purl, range, version } = toComponentPattern(entry);
  if (!isKnownType(purl.type)) {
    return {
      why: `no purl has the type ${quoted(purl.type)}`,
      hint: 'write the type of its ecosystem, such as deb, rpm, apk, pypi, npm, golang or cargo',
    };
  }
  if (version === undefined || range !== undefined || !isOrdered(purl.type)) {
    return undefined;
  }
  return {
    why: `${quoted(version)} is not a version of ${purl.type}`,
    hint: `write a whole version, or a range: versions: "vers:${purl.type}/>=1.0|<2.0"`,
  };
}
