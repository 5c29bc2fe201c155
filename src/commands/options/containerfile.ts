import type { Command } from 'commander';
import { readContainerfile } from '../../app/read-containerfile.ts';
import type { Containerfile } from '../../report/containerfile.ts';
import type { Host } from '../../system/host.ts';
import { type Options, textOption } from './bag.ts';

export function declareContainerfile(command: Command): void {
  command.option(
    '--containerfile <file>',
    'with SARIF: from which the image was built, so that alerts stand at its lines',
  );
}

/**
 * @throws TcfError `containerfile.outside`, `file.unreadable` (exit 3), `containerfile.malformed` (exit 2).
 */
export async function readContainerfileOption(
  host: Host,
  options: Options,
): Promise<Containerfile | undefined> {
  const file = textOption(options, 'containerfile');
  return file === undefined ? undefined : await readContainerfile(host, file);
}
