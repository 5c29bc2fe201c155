import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import manifest from '../package.json' with { type: 'json' };

/*
 * Statements about a release, from its SHA256SUMS: `node toolchain/provenance.ts SHA256SUMS provenance|sbom
 * SBOM|vsa PROVENANCE-BUNDLE` prints one, to be signed with `tcf sign-bundle --in-toto`. What the job was is
 * said by GITHUB_*.
 */

const [sums = '', kind, file = ''] = process.argv.slice(2);
const project = 'https://github.com/triton-container-first/tcf';

function env(name: string): string {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is not set: a statement about a build is made by the job that built`);
  }
  return value;
}

const subject = readFileSync(sums, 'utf8')
  .trim()
  .split('\n')
  .map((line) => {
    const [, sha256, name] = /^([0-9a-f]{64}) {2}(\S+)$/.exec(line) ?? [];
    if (sha256 === undefined || name === undefined) {
      throw new Error(`${sums} has a line that is no checksum: ${line}`);
    }
    return { name, digest: { sha256 } };
  });

/** https://slsa.dev/spec/v1.2/build-provenance, with the parameters of GitHub's build type. */
function provenance(): object {
  const repository = `${env('GITHUB_SERVER_URL')}/${env('GITHUB_REPOSITORY')}`;
  const ref = env('GITHUB_REF');
  const [path = ''] = env('GITHUB_WORKFLOW_REF')
    .slice(env('GITHUB_REPOSITORY').length + 1)
    .split('@');
  return {
    buildDefinition: {
      buildType: 'https://actions.github.io/buildtypes/workflow/v1',
      externalParameters: { workflow: { ref, repository, path } },
      internalParameters: {
        github: {
          event_name: env('GITHUB_EVENT_NAME'),
          repository_id: env('GITHUB_REPOSITORY_ID'),
          repository_owner_id: env('GITHUB_REPOSITORY_OWNER_ID'),
          runner_environment: env('RUNNER_ENVIRONMENT'),
        },
      },
      resolvedDependencies: [{ uri: `git+${repository}@${ref}`, digest: { gitCommit: env('GITHUB_SHA') } }],
    },
    runDetails: {
      builder: { id: `${env('GITHUB_SERVER_URL')}/${env('GITHUB_WORKFLOW_REF')}` },
      metadata: {
        invocationId: `${repository}/actions/runs/${env('GITHUB_RUN_ID')}/attempts/${env('GITHUB_RUN_ATTEMPT')}`,
      },
    },
  };
}

/**
 * https://slsa.dev/spec/v1.2/verification_summary: the job has verified its own provenance. It is written by
 * the steps of the build themselves and not by the platform, so it says Build Level 1 and no more.
 */
function summary(): object {
  const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
  return {
    verifier: { id: `${env('GITHUB_SERVER_URL')}/${env('GITHUB_WORKFLOW_REF')}` },
    timeVerified: new Date().toISOString(),
    resourceUri: `${project}/releases/tag/v${manifest.version}`,
    policy: {
      uri: `git+${project}@${env('GITHUB_REF')}#toolchain/verify-release.sh`,
      digest: { gitCommit: env('GITHUB_SHA') },
    },
    inputAttestations: [{ digest: { sha256 } }],
    verificationResult: 'PASSED',
    verifiedLevels: ['SLSA_BUILD_LEVEL_1'],
    slsaVersion: '1.2',
  };
}

const predicates: Readonly<Record<string, () => readonly [string, unknown]>> = {
  provenance: () => ['https://slsa.dev/provenance/v1', provenance()],
  sbom: () => ['https://cyclonedx.org/bom', JSON.parse(readFileSync(file, 'utf8'))],
  vsa: () => ['https://slsa.dev/verification_summary/v1', summary()],
};
const make = predicates[kind ?? ''];
if (make === undefined) {
  throw new Error(`the statements are ${Object.keys(predicates).join(', ')}`);
}
const [predicateType, predicate] = make();
process.stdout.write(
  `${JSON.stringify({ _type: 'https://in-toto.io/Statement/v1', subject, predicateType, predicate })}\n`,
);
