/** A call as people type it after `tcf`, and what it is for. */
export type Example = readonly [call: string, what: string];

/**
 * Examples of every verb and action, by what follows `tcf`: the first thing that `--help` and the manual page
 * show. A test calls each as far as its options.
 */
export const examples: Readonly<Record<string, readonly Example[]>> = {
  sbom: [
    ['sbom quay.io/team/triton-dev:1', 'what is in an image; on a terminal a page, in a pipe CycloneDX'],
    ['sbom docker-archive:dev.tar -o sbom.cdx.json', 'into a file'],
    ['sbom oci:out --format spdx-json', 'as SPDX'],
  ],
  sign: [
    ['sign quay.io/team/triton-dev:1', 'keyless: in a CI job with its identity, on a terminal after a login'],
    ['sign quay.io/team/triton-dev:1 --key cosign.key', 'with a key of tcf keygen'],
  ],
  verify: [
    ['verify quay.io/team/triton-dev:1', 'by the policies of machine, user and project'],
    ['verify quay.io/team/triton-dev:1 --policy policy.yaml --json', 'the whole decision for machines'],
  ],
  run: [
    ['run --rm -it quay.io/team/triton-dev:1 bash', 'as podman run, once the image is verified'],
    ['run triton --source TRITON=.', 'a dev container of a profile'],
  ],
  gate: [
    [
      'gate quay.io/team/triton-dev@sha256:0123 --sarif tcf.sarif',
      'in CI, by digest, with SARIF for code scanning',
    ],
  ],
  up: [['up triton --source TRITON=.', 'a dev container that stays']],
  exec: [['exec triton pytest', 'in that container, its image verified once more']],
  down: [['down triton', 'stops and removes it']],
  diff: [['diff old.cdx.json quay.io/team/triton-dev:2', 'an SBOM with what an image is now']],
  report: [['report quay.io/team/triton-dev:1 -o report.html', 'one page to look at in a browser']],
  tree: [['tree quay.io/team/triton-dev:1', 'what needs what']],
  licenses: [['licenses sbom.cdx.json', 'the licences in an SBOM']],
  copy: [['copy quay.io/team/triton-dev:1 oci:out', 'with all that was signed about it']],
  keygen: [['keygen --output-key-prefix team', 'team.key and team.pub']],
  doctor: [['doctor', 'what is set up on this machine, and how to repair the rest']],
  vulns: [
    ['vulns quay.io/team/triton-dev:1', 'known vulnerabilities, by the database of tcf db'],
    ['vulns sbom.cdx.json --format sarif -o vulns.sarif', 'of an SBOM, for code scanning'],
  ],
  which: [
    [
      'which CVE-2024-3094 --from quay.io/team/triton-dev',
      'which images of a repository have it, by their attested SBOMs',
    ],
  ],
  completion: [['completion bash', 'print it again after an update']],
  'policy init': [
    ['policy init quay.io/team/triton-dev:1 --key cosign.pub', 'a first policy, explained line by line'],
  ],
  'policy check': [['policy check .tcf/policy.yaml', 'what it covers, and what in it does nothing']],
  'policy explain': [['policy explain quay.io/team/triton-dev:1', 'which policies decide about this name']],
  'policy export': [['policy export policy.yaml --to kyverno', 'for the admission control of a cluster']],
  'policy schema': [['policy schema', 'the JSON Schema, for editors']],
  'devcontainer init': [
    [
      'devcontainer init quay.io/team/triton-dev:1 --device cuda',
      'a devcontainer.json that starts nothing unverified',
    ],
  ],
  'devcontainer pin': [['devcontainer pin', 'the digest where the tag leads now']],
  'devcontainer migrate': [['devcontainer migrate quay.io/team/triton-dev:1', 'a file that others wrote']],
  'devcontainer check': [['devcontainer check', 'whether what it starts is verified']],
  'devcontainer allow': [['devcontainer allow -- --privileged', 'words of the file that the user takes on']],
  'hook install': [
    ['hook install podman --policy /etc/tcf/policy.yaml', 'podman asks tcf before anything starts'],
  ],
  'hook status': [['hook status', 'which hooks are there, and whether they work']],
  'hook uninstall': [['hook uninstall podman', 'takes the hook away']],
  'log show': [['log show --last 10', 'what was decided last']],
  'log verify': [['log verify', 'whether anybody changed the log']],
  'log prune': [['log prune --keep 10000', 'takes old entries away']],
  'log archive': [['log archive', 'moves the log aside, and begins a new one']],
  'trust show': [['trust show', 'the trusted roots, and how old they are']],
  'trust update': [['trust update', 'asks the mirrors of Sigstore for newer ones']],
  'trust import': [['trust import trusted_root.json --as company', 'the root of an instance of your own']],
  'pins show': [['pins show 3.4.0', 'which LLVM a release of Triton pins']],
  'pins add': [['pins add triton/', 'those of a checkout']],
  'pins update': [['pins update pins.json', 'a file of pins that others signed']],
  'db build': [['db build osv/ -o tcf.db', 'from advisories in OSV']],
  'db import': [['db import tcf.db', 'a database that others made']],
  'db push': [['db push registry.example/tcf/db:1', 'into a registry']],
  'db pull': [['db pull registry.example/tcf/db:1', 'from a registry']],
  'db status': [['db status', 'which one is here, and how old it is']],
  'db verify': [['db verify', 'whether it is whole']],
  build: [
    ['build cpu', 'an image from its lock, the same bytes each time'],
    ['build cpu --to quay.io/team/cpu:1 --key release.key', 'pushed and signed, with SBOM and provenance'],
    [
      'build cpu --check quay.io/team/cpu:1 --key second.key',
      'built again by somebody else, who says what came out',
    ],
  ],
  'lock show': [
    ['lock show cpu', 'every input of that image and of those below it'],
    ['lock show cpu --newer --unsafe', 'and what the archives have today, and what advisories say'],
  ],
  'lock update': [
    ['lock update cpu', 'to what the archives have today'],
    ['lock update cpu --triton 3.9.0', 'another Triton, with its LLVM and all that follows'],
  ],
  'lock why': [['lock why cpu zlib1g', 'who needs it']],
  'lock schema': [['lock schema', 'the JSON Schema, for editors']],
  'sign-bundle': [
    [
      'sign-bundle artifact.tar --bundle artifact.sigstore.json --key cosign.key',
      'a file, as a Sigstore bundle',
    ],
  ],
  'verify-bundle': [
    [
      'verify-bundle --bundle artifact.sigstore.json --key cosign.pub artifact.tar',
      'the same, the other way',
    ],
  ],
};
