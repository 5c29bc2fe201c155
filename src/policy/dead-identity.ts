import { matchesIdentity } from './glob.ts';

/** Why something can match nothing, and what to write instead. */
export interface DeadWhy {
  readonly why: string;
  readonly hint: string;
}

const github = 'https://token.actions.githubusercontent.com';

/**
 * Issuers whose identities are mail addresses: those of the public Sigstore instance that people log in with.
 */
const mailIssuers = [
  'https://accounts.google.com',
  'https://github.com/login/oauth',
  'https://oauth2.sigstore.dev/auth',
  'https://login.microsoftonline.com',
];

/** Whether no certificate names such an issuer: those of the public instance are compared whole. */
export function deadIssuer(issuer: string): DeadWhy | undefined {
  const plain = issuer.replace(/\/+$/, '');
  if (plain === issuer || ![github, 'https://gitlab.com', ...mailIssuers].includes(plain)) {
    return undefined;
  }
  return { why: `certificates name ${plain}, without "/" at the end`, hint: `write ${plain}` };
}

/**
 * Whether no certificate can have such an identity, by what Fulcio writes for each issuer
 * (https://github.com/sigstore/fulcio/blob/main/docs/oidc.md). Without an issuer any is meant.
 */
export function deadIdentity(identity: string, issuer?: string): DeadWhy | undefined {
  if (issuer !== undefined && (issuer === github || issuer.startsWith(`${github}/`))) {
    return deadRun(identity);
  }
  if (issuer === 'https://gitlab.com') {
    return deadJob(identity);
  }
  if (issuer !== undefined && mailIssuers.includes(issuer)) {
    return deadAddress(identity);
  }
  if (issuer === undefined && /^https:\/\/github\.com(?:\/|$)/i.test(identity)) {
    return deadRun(identity);
  }
  if (issuer === undefined && /^https:\/\/gitlab\.com(?:\/|$)/i.test(identity)) {
    return deadJob(identity);
  }
  if (/:\/\/|![^/]*$|@[^/@]*$/.test(identity)) {
    return undefined;
  }
  return {
    why: 'an identity is a URI, or an address with "@"',
    hint: 'write the whole identity as tcf verify shows it',
  };
}

const runHint =
  'write https://github.com/OWNER/REPOSITORY/.github/workflows/FILE.yml@refs/heads/BRANCH, with * for a part between two "/"';

/** A run of GitHub Actions: `https://github.com/OWNER/REPO/.github/workflows/FILE.yml@REF`. */
function deadRun(identity: string): DeadWhy | undefined {
  const at = identity.indexOf('@');
  const wrong = (why: string): DeadWhy => ({ why, hint: runHint });
  if (at < 0) {
    return wrong('the identity of a run of GitHub ends in "@" and a ref');
  }
  const path = identity.slice(0, at).split('/');
  const fixed = ['https:', '', 'github.com', undefined, undefined, '.github', 'workflows', undefined];
  const fits =
    path.length === fixed.length &&
    fixed.every((piece, index) =>
      piece === undefined ? path[index] !== '' : matchesIdentity(path[index] ?? '', piece),
    );
  if (!fits) {
    return wrong('a run of GitHub is named by the file of its workflow, and * does not go beyond "/"');
  }
  if (!/(?:\.ya?ml|\*[yaml.]*)$/.test(path.at(-1) ?? '')) {
    return wrong('a workflow is a file that ends in .yml or .yaml');
  }
  const ref = identity.slice(at + 1);
  return isCommit(ref) || isWholeRef(ref)
    ? undefined
    : wrong('the ref of a run is whole, refs/heads/... or refs/tags/..., and * does not go beyond "/"');
}

/** A job of GitLab: `https://gitlab.com/GROUP/PROJECT//FILE@REF`. */
function deadJob(identity: string): DeadWhy | undefined {
  const [, ref = ''] = /^https:\/\/[^/]+\/[^@]+?\/\/[^@]+@(.*)/.exec(identity) ?? [];
  if (isWholeRef(ref)) {
    return undefined;
  }
  return {
    why: 'a job of GitLab is named by project, file and whole ref',
    hint: 'write https://gitlab.com/GROUP/PROJECT//.gitlab-ci.yml@refs/heads/BRANCH',
  };
}

function deadAddress(identity: string): DeadWhy | undefined {
  if (/^[^/@]+@[^/@]+$/.test(identity)) {
    return undefined;
  }
  return {
    why: 'identities of this issuer are mail addresses',
    hint: 'write the address, or name the issuer of the workflow',
  };
}

/** A reusable workflow that is called by its commit has that commit in place of a ref. */
const isCommit = (ref: string): boolean => /^[0-9a-f]{40}$/.test(ref);

function isWholeRef(ref: string): boolean {
  const [refs = '', kind = '', ...name] = ref.split('/');
  return (
    matchesIdentity(refs, 'refs') &&
    ['heads', 'pull', 'tags'].some((one) => matchesIdentity(kind, one)) &&
    name.length > 0 &&
    name.every((piece) => piece !== '')
  );
}

const url = /^https:\/\/[^\s/]+\/./;
const hex = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const number = /^[1-9]\d*$/;
const wholeRef = /^refs\/./;

/** What the values of Fulcio's extensions look like, and how to say it. */
const claimForms: Readonly<Record<string, readonly [RegExp, string]>> = {
  buildConfigDigest: [hex, 'a commit: 40 hexadecimal digits'],
  buildConfigUri: [url, 'a URL'],
  buildSignerDigest: [hex, 'a commit: 40 hexadecimal digits'],
  buildSignerUri: [url, 'a URL'],
  githubWorkflowRef: [wholeRef, 'a whole ref: refs/heads/main'],
  githubWorkflowRepository: [/^[^/\s]+\/[^/\s]+$/, 'owner/name'],
  githubWorkflowSha: [hex, 'a commit: 40 hexadecimal digits'],
  runInvocationUri: [url, 'a URL'],
  runnerEnvironment: [/^(?:github|gitlab|self)-hosted$/, 'github-hosted, gitlab-hosted or self-hosted'],
  sourceRepositoryDigest: [hex, 'a commit: 40 hexadecimal digits'],
  sourceRepositoryIdentifier: [number, 'a number'],
  sourceRepositoryOwnerIdentifier: [number, 'a number'],
  sourceRepositoryOwnerUri: [url, 'a URL: https://github.com/acme'],
  sourceRepositoryRef: [wholeRef, 'a whole ref: refs/heads/main'],
  sourceRepositoryUri: [url, 'a URL: https://github.com/acme/app'],
  sourceRepositoryVisibilityAtSigning: [/^(?:internal|private|public)$/, 'public, private or internal'],
};

/**
 * Whether no certificate can have this value of an extension. Values are compared whole, so a `*` is one that
 * nobody has.
 */
export function deadClaim(claim: string, value: string): DeadWhy | undefined {
  const [form, words] = (Object.hasOwn(claimForms, claim) ? claimForms[claim] : undefined) ?? [];
  const isRight = form === undefined || form.test(value);
  if (isRight && !value.includes('*')) {
    return undefined;
  }
  return {
    why: value.includes('*')
      ? 'the values of claims are compared whole, without patterns'
      : `its value is ${words}`,
    hint: value.includes('*')
      ? 'write the whole value, or ask under github, where ref may have a *'
      : `write ${words}`,
  };
}
