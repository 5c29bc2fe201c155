import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { encodeBase64 } from '../../src/base/bytes.ts';
import { type BuiltImage, json, writeFiles } from './image.ts';

/**
 * An image in a store of containers/storage with the driver overlay, as `localhost/a:latest`. Of each layer
 * the headers lie in tar-split and each content in a file of its own, whatever path an unpacker would have
 * found for it.
 */
export function writeStore(
  graphRoot: string,
  image: BuiltImage,
  stack: readonly (readonly Buffer[])[],
): void {
  const ids = stack.map((_, at) => at.toString(16).padStart(64, '0'));
  const id = image.configDigest.slice(7);
  const digests = { manifest: image.manifestDigest, [image.configDigest]: image.configDigest };
  const named = { id, names: ['localhost/a:latest'], layer: ids.at(-1), 'big-data-digests': digests };
  const files = new Map<string, Uint8Array>([
    ['overlay-images/images.json', json([{ ...named, digest: image.manifestDigest }])],
    [`overlay-images/${id}/manifest`, image.manifest],
    [`overlay-images/${id}/=${encodeBase64(Buffer.from(image.configDigest))}`, image.config],
    ['overlay-layers/layers.json', json(ids.map((layer, at) => ({ id: layer, parent: ids[at - 1] ?? '' })))],
  ]);
  for (const [at, members] of stack.entries()) {
    const diff = `overlay/${ids[at]}/diff`;
    mkdirSync(join(graphRoot, diff), { recursive: true });
    const lines = members.flatMap((member, index): object[] => {
      const size = member[156] === 0x30 ? Number.parseInt(member.toString('latin1', 124, 135), 8) : 0;
      if (size === 0) {
        return [{ type: 2, payload: encodeBase64(member) }];
      }
      files.set(`${diff}/${index}`, member.subarray(512, 512 + size));
      return [
        { type: 2, payload: encodeBase64(member.subarray(0, 512)) },
        { type: 1, name: String(index), size, payload: 'x' },
        { type: 2, payload: encodeBase64(member.subarray(512 + size)) },
      ];
    });
    const end = { type: 2, payload: encodeBase64(Buffer.alloc(1024)) };
    const text = [...lines, end]
      .map((line, position) => `${JSON.stringify({ ...line, position })}\n`)
      .join('');
    files.set(`overlay-layers/${ids[at]}.tar-split.gz`, gzipSync(text));
  }
  writeFiles(graphRoot, files);
}
