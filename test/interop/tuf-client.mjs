import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/* The client of TUF in npm and sigstore-js: brings `folder` up to date and prints the trusted root. */

const [modules, mirror, root, folder] = process.argv.slice(2);
const { Updater } = createRequire(join(modules, 'x'))('tuf-js');
const kept = join(folder, 'root.json');
if (!existsSync(kept)) {
  copyFileSync(root, kept);
}
const updater = new Updater({
  metadataDir: folder,
  metadataBaseUrl: mirror,
  targetDir: folder,
  targetBaseUrl: `${mirror}/targets`,
  config: { fetchRetry: 0 },
});
await updater.refresh();
const target = await updater.getTargetInfo('trusted_root.json');
if (target === undefined) {
  throw new Error('no such target');
}
process.stdout.write(readFileSync(await updater.downloadTarget(target)));
