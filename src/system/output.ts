import { fstatSync } from 'node:fs';
import { cannotTell } from '../base/error.ts';
import { writeWhole } from './destination.ts';
import { codeOf, systemWords } from './errors.ts';
import type { Output } from './host.ts';
import { wantsColor } from './terminal.ts';

/** Node gives the descriptor of its own streams. */
type Stream = NodeJS.WriteStream & { readonly fd?: number };

/**
 * Standard output or standard error. It is opened when it is first needed: what is quiet need not wait for
 * it.
 *
 * `write` throws TcfError `output.unwritable` (exit 2) where a text was not taken whole.
 */
export function openOutput(open: () => Stream, env: NodeJS.ProcessEnv): Output {
  let stream: Stream | undefined;
  const opened = () => {
    // The stream says it twice, to the caller of write and as an event; an event that nobody hears ends the
    // process.
    stream ??= open().on('error', () => {});
    return stream;
  };
  return {
    get isTerminal() {
      return opened().isTTY === true;
    },
    get hasColor() {
      return wantsColor(env, opened().isTTY === true);
    },
    get columns() {
      // Terminals without a window, as `script` and some CI make them, say 0.
      return opened().columns || undefined;
    },
    write: async (text) => {
      try {
        const file = fileOf(opened());
        await (file === undefined ? writeStream(opened(), text) : writeWhole(file, text));
      } catch (error) {
        // The reader of a pipe went away (`tcf sbom IMAGE | head`): there is nobody left to tell.
        if (codeOf(error) === 'EPIPE') {
          return;
        }
        throw cannotTell('output.unwritable', `could not write the output: ${systemWords(error)}`, {
          hint: 'what was written so far is not whole',
          cause: error,
        });
      }
    },
  };
}

/** The descriptor of an output that is a file or a device; `undefined` for terminals, pipes and sockets. */
function fileOf({ fd, isTTY }: Stream): number | undefined {
  if (isTTY || typeof fd !== 'number') {
    return undefined;
  }
  const stats = fstatSync(fd);
  return stats.isFile() || stats.isCharacterDevice() || stats.isBlockDevice() ? fd : undefined;
}

function writeStream(stream: Stream, text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
