import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const tcf = join(import.meta.dirname, '../../src/main.ts');

/** Two layers: the second removes files and folders, and makes one of the folders anew. */
const script = `set -e
work=$1 driver=$2
b() { buildah --root "$work/graph" --runroot "$work/run" --storage-driver "$driver" "$@"; }
c=$(b from scratch); m=$(b mount "$c")
mkdir -p "$m/etc" "$m/var/lib/dpkg" "$m/opt/a/b" "$m/gone" "$m/bin" "$m/opt/lib/python3.11/site-packages/x-1.dist-info"
printf 'ID=debian\\nVERSION_ID="12"\\n' > "$m/etc/os-release"
printf 'Package: a\\nStatus: install ok installed\\nArchitecture: amd64\\nVersion: 1\\n\\n' > "$m/var/lib/dpkg/status"
printf 'Metadata-Version: 2.1\\nName: x\\nVersion: 1\\n' > "$m/opt/lib/python3.11/site-packages/x-1.dist-info/METADATA"
cp /bin/true "$m/opt/a/b/true"; ln "$m/opt/a/b/true" "$m/opt/a/true2"; cp /bin/false "$m/gone/x"; ln -s ../opt "$m/gone/link"
touch "$m/opt/a/$(printf 'caf\\351')"; cp /bin/cat "$m/bin/cat"
b umount "$c"; b commit --rm "$c" localhost/lower
c=$(b from localhost/lower); m=$(b mount "$c")
rm -rf "$m/opt/a" "$m/gone" "$m/bin/cat"; mkdir -p "$m/opt/a"; cp /bin/ls "$m/opt/a/ls"
printf 'Package: b\\nStatus: install ok installed\\nArchitecture: amd64\\nVersion: 2\\n\\n' >> "$m/var/lib/dpkg/status"
b umount "$c"; b commit --rm "$c" localhost/upper
`;

test.for(['overlay', 'vfs'])(
  'a store of %s that kept no archive of its layers gives the same SBOM',
  { timeout: 120_000 },
  async (driver) => {
    const work = mkdtempSync('/var/tmp/tcf-folders-');
    try {
      await run('bash', ['-c', script, 'build', work, driver]);
      const image = `containers-storage:[${driver}@${work}/graph]localhost/upper`;
      const sbom = async (name: string, ...more: readonly string[]) => {
        await run(process.execPath, [tcf, 'sbom', image, '-o', join(work, name), ...more]);
        return readFileSync(join(work, name), 'utf8');
      };
      const kept = await sbom('kept.json');
      expect(kept).toContain('opt/a/ls');
      expect(kept).not.toMatch(/opt\/a\/(?:b|true2)|bin\/cat|gone/);
      const layers = join(work, `graph/${driver}-layers`);
      const archives = readdirSync(layers).filter((name) => name.endsWith('.tar-split.gz'));
      expect(archives).toHaveLength(2);
      for (const name of archives) {
        rmSync(join(layers, name));
      }
      expect(await sbom('walked.json')).toBe(kept);
      await expect(sbom('verified.json', '--verify-layers')).rejects.toMatchObject({
        code: 2,
        stderr: expect.stringContaining('so its digest cannot be checked'),
      });
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  },
);
