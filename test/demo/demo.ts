import { startStage } from '../support/stage.ts';

/**
 * The main job in front of the reader's eyes: a registry in memory, a small image in it, and tcf as a person
 * would type it.
 */
const walk: readonly (readonly [string, string])[] = [
  [
    'An image lies in a registry. What is in it? The LLVM inside libtriton.so is read from the binary.',
    'tcf sbom localhost:5000/triton-dev --allow-http -o triton-dev.cdx.json',
  ],
  ['', `grep -A 1 -E '"name": "(llvm|ptxas.*|triton)"' triton-dev.cdx.json`],
  [
    'The policy: signed by the team, with an SBOM by the team, and LLVM as triton pins it.',
    'cat policy.yaml',
  ],
  [
    'A key for the team, in the format of cosign. Its password comes from COSIGN_PASSWORD.',
    'tcf keygen --output-key-prefix team',
  ],
  [
    'Nobody has signed yet, so the image may not start.',
    'tcf verify localhost:5000/triton-dev --policy policy.yaml --allow-http',
  ],
  ['Sign the image and attest its SBOM.', 'tcf sign localhost:5000/triton-dev --key team.key --allow-http'],
  ['Now it may start ...', 'tcf verify localhost:5000/triton-dev --policy policy.yaml --allow-http'],
  [
    '... and what starts is the digest that was verified.',
    'tcf run --dry-run --policy policy.yaml --allow-http --rm -it localhost:5000/triton-dev bash',
  ],
  [
    'Somebody builds the image with another LLVM. It is signed and has an SBOM; still it may not start.',
    'tcf sign localhost:5000/triton-dev:moved --key team.key --allow-http',
  ],
  ['', 'tcf run --policy policy.yaml --allow-http localhost:5000/triton-dev:moved'],
];

/** Steps that must say no: that is what they show. */
const refusals: ReadonlyMap<number, number> = new Map([
  [4, 1],
  [9, 125],
]);

await using stage = await startStage();
let failed = 0;
for (const [index, [why, line]] of walk.entries()) {
  if (why !== '') {
    process.stdout.write(`\n# ${why}\n`);
  }
  process.stdout.write(`$ ${line}\n`);
  const { exit, printed } = await stage.type(line);
  process.stdout.write(printed);
  if (exit !== 0) {
    process.stdout.write(`(exit code ${exit})\n`);
  }
  if (exit !== (refusals.get(index) ?? 0)) {
    failed += 1;
  }
}
if (failed > 0) {
  process.stdout.write(`\n${failed} steps did not end as they should\n`);
}
process.exitCode = failed === 0 ? 0 : 1;
