/**
 * The instruction of a Containerfile behind a step of an image's history (`created_by`), without what engines
 * put around it: arguments of the build (`|1 X=1`), the shell, `#(nop)`, BuildKit's mark.
 */
export function instructionOf(createdBy: string): string {
  const plain = createdBy.replace(/\s+# buildkit\s*$/, '').replace(/^RUN (?=\|\d+ |\/bin\/sh -c )/, '');
  return withoutArguments(plain)
    .replace(/^\/bin\/sh -c #\(nop\)\s+/, '')
    .replace(/^\/bin\/sh -c /, 'RUN ')
    .replace(/\s+/g, ' ')
    .trim();
}

const shell = '/bin/sh -c ';

/** Their values may hold spaces; the shell stands behind all of them. */
function withoutArguments(step: string): string {
  if (!/^\|\d+ /.test(step)) {
    return step;
  }
  const at = step.indexOf(shell);
  return at < 0 ? step.replace(/^\|\d+ (?:[A-Za-z_]\w*=\S* )*/, '') : step.slice(at);
}
