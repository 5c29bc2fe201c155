import { chmod, copyFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Plugin } from 'rolldown';
import { type BundledPackage, bundledPackages, formatNotices } from './packages.ts';

/**
 * commander can start a verb that is a program of its own. We have none, and what would start it takes
 * milliseconds to load.
 */
const withoutPrograms: Plugin = {
  name: 'without-programs',
  resolveId: (source, importer) =>
    source === 'node:child_process' && importer?.includes('/commander/') ? '\0no-programs' : undefined,
  load: (id) => (id === '\0no-programs' ? 'export default {};' : undefined),
};

/**
 * A folder that runs on any supported Node, with nothing to install beside it. Verbs load late
 * (docs/decisions/0005), so each is a file of its own: as one file, a start took six times as long
 * (bench/start.ts). CommonJS, because an `import` of a built-in module evaluates every lazy part of it.
 *
 * @returns the packages whose code is in it.
 */
export async function bundleProgram(folder: string): Promise<readonly BundledPackage[]> {
  await rm(folder, { recursive: true, force: true });
  const { output } = await build({
    cwd: join(import.meta.dirname, '..'),
    // A thread that reads layers begins in a file of its own (src/app/scan.ts).
    input: { main: 'src/main.ts', 'scan-thread': 'src/app/scan-thread.ts' },
    platform: 'node',
    // What some packages call their main file finds its parts in ways that no bundler follows.
    resolve: { mainFields: ['module', 'main'] },
    output: {
      dir: join(folder, 'parts'),
      format: 'cjs',
      // A third less to read at each start. Names stay, for traces.
      minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
      // Code that is compiled from a cache asks for a module in no other way without a warning of Node.
      dynamicImportInCjs: false,
      entryFileNames: '[name].js',
      chunkFileNames: '[name]-[hash].js',
    },
    // The oldest Node of package.json's engines has no `using`.
    transform: { target: 'node22.22' },
    plugins: [withoutPrograms],
    logLevel: 'warn',
  });
  const modules = output.flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []));
  const packages = bundledPackages(modules);
  await writeFile(join(folder, 'THIRD-PARTY.txt'), formatNotices(packages));
  await writeFile(join(folder, 'package.json'), '{ "type": "commonjs" }\n');
  await copyFile(join(import.meta.dirname, 'start.cjs'), join(folder, 'tcf.js'));
  await chmod(join(folder, 'tcf.js'), 0o755);
  return packages;
}
