import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'rolldown';

/**
 * The script of the page that `tcf report` writes, as one text: it has to lie in the program whole, because
 * the page carries it and reaches for nothing. The file stands in the repository, so that tcf runs from
 * source; test/report/page.test.ts holds it to what it is made of.
 */
export async function buildPageScript(): Promise<string> {
  const root = join(import.meta.dirname, '..');
  const { output } = await build({
    cwd: root,
    input: 'src/report/page/browser/main.ts',
    platform: 'browser',
    tsconfig: false,
    transform: { target: 'es2022' },
    output: { format: 'iife', minify: true },
    write: false,
    logLevel: 'warn',
  });
  const [{ code }] = output;
  return [
    '/* Made by `node toolchain/page.ts` of src/report/page/browser. */',
    '',
    '/** The script of the page, in which nothing ends a script element. */',
    'export const pageScript: string =',
    `  ${JSON.stringify(code.trim())};`,
    '',
  ].join('\n');
}

export const pageScriptFile: string = join(import.meta.dirname, '../src/report/page/script.ts');

if (import.meta.main) {
  await writeFile(pageScriptFile, await buildPageScript());
}
