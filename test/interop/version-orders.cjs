// Prints, for each line "A<tab>OP<tab>B" of standard input, the sign of A against B and whether "OP B" holds A, by the semver of npm at $1.
const semver = require(process.argv[2]);
for (const line of require('node:fs').readFileSync(0, 'utf8').trim().split('\n')) {
  const [one, op, two] = line.split('\t');
  if (semver.valid(one) === null || semver.valid(two) === null) {
    process.stdout.write('invalid\n');
    continue;
  }
  const holds =
    op === '!=' ? !semver.eq(one, two) : semver.satisfies(one, `${op}${two}`, { includePrerelease: true });
  process.stdout.write(`${semver.compare(one, two)} ${holds}\n`);
}
