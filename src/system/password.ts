import { askedWrongly } from '../base/error.ts';
import type { Host } from './host.ts';

/**
 * The password of an existing key: COSIGN_PASSWORD, else the terminal.
 *
 * @throws TcfError `key.password` (exit 3).
 */
export async function password(host: Host, name: string): Promise<string> {
  const given = host.env['COSIGN_PASSWORD'] ?? (await host.askSecret(`Password for ${name}: `));
  if (given !== undefined) {
    return given;
  }
  throw noTerminal();
}

/** A password for a new key, asked twice on a terminal. @throws TcfError `key.password` (exit 3). */
export async function newPassword(host: Host): Promise<string> {
  const preset = host.env['COSIGN_PASSWORD'];
  if (preset !== undefined) {
    return preset;
  }
  const first = await host.askSecret('Password for the new private key: ');
  if (first === undefined) {
    throw noTerminal();
  }
  if (first !== (await host.askSecret('The same again: '))) {
    throw askedWrongly('key.password', 'the two passwords differ', {
      hint: 'nothing was written; try again',
    });
  }
  return first;
}

function noTerminal(): Error {
  return askedWrongly('key.password', 'there is no password and no terminal to ask for one', {
    hint: 'set COSIGN_PASSWORD (it may be empty)',
  });
}
