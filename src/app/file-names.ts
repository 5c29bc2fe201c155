import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { askedWrongly } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { isShortName } from '../registry/short-names.ts';
import type { Host } from '../system/host.ts';

/**
 * Refuses a name without a registry that is a file here, or a folder that holds an image: `tcf sbom app.tar`
 * means the file, and Docker Hub, which everybody may push to, is not asked for `library/app.tar`. A folder
 * of another kind may well be called as an image is.
 *
 * @throws TcfError `image.is-file` (exit 3).
 */
export function refuseFileName(host: Host, text: string): void {
  const form =
    text.startsWith('docker://') || !(isPath(text) || isShortName(text)) ? undefined : formOf(host, text);
  if (form !== undefined) {
    throw askedWrongly('image.is-file', `${quoted(text)} is a ${form.kind} here, and no name in a registry`, {
      hint: `write ${form.names.map((name) => `${name}:${text}`).join(' or ')}${isPath(text) ? '' : `; an image of that name: docker://${text}`}`,
    });
  }
}

/** No name of an image begins so. */
export function isPath(text: string): boolean {
  return /^(?:\.{0,2}\/|~)/.test(text);
}

interface FileForm {
  readonly kind: 'file' | 'folder';
  /** Transports that read it. */
  readonly names: readonly string[];
}

function formOf(host: Host, text: string): FileForm | undefined {
  const path = resolve(host.cwd, text);
  const is = (name: string): boolean =>
    statSync(join(path, name), { throwIfNoEntry: false })?.isFile() === true;
  try {
    if (is('.')) {
      return { kind: 'file', names: ['docker-archive', 'oci-archive'] };
    }
    const [marker] = [['oci-layout', 'oci'] as const, ['manifest.json', 'dir'] as const].filter(([name]) =>
      is(name),
    );
    return marker && { kind: 'folder', names: [marker[1]] };
  } catch {
    // What may not be looked at (a NUL in the name, too long a name) is no file of ours.
    return undefined;
  }
}
