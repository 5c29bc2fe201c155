import { decodeUtf8 } from '../../base/bytes.ts';
import { compact } from '../../base/compact.ts';
import { askedWrongly, TcfError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { type IdentityToken, openIdentityToken, parseIdentityToken } from '../../sigstore/identity-token.ts';
import { discoverProvider } from '../../sigstore/oidc.ts';
import { tokenByBrowser } from '../../sigstore/oidc-browser.ts';
import { tokenByDevice } from '../../sigstore/oidc-device.ts';
import type { Services } from '../../sigstore/services.ts';
import { readUserFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';

/** GitHub's tokens have 2 KiB. */
const maxToken = 64 * 1024;
/** Milliseconds: what opens a browser hands the address over and ends. */
const openerTimeout = 5000;

export type LoginFlow = 'browser' | 'device';

/** Who signs without a key. */
export interface KeylessRequest {
  /**
   * An OIDC token, or a file that holds one. Default: SIGSTORE_ID_TOKEN, the CI job, or a login on the
   * terminal.
   */
  readonly token?: string;
  /** Log in this way, also where there is no terminal. */
  readonly flow?: LoginFlow;
  /** Where to log in. Default: as the signing config says. */
  readonly issuer?: URL;
  /** Default: `sigstore`. */
  readonly clientId?: string;
}

/**
 * Who signs, as an identity token. Nobody is asked to log in unless there is a terminal and no CI, or the
 * user said so.
 *
 * @throws TcfError (exit 3) for what was asked wrongly, (exit 2) where there is no answer.
 */
export async function openUserToken(
  host: Host,
  request: KeylessRequest,
  services: Services,
  issuer: URL | undefined,
): Promise<IdentityToken> {
  const { flow, token } = request;
  const login = (way: LoginFlow) => logIn(host, { issuer, ...request }, services, way);
  if (flow !== undefined) {
    return parseIdentityToken(await login(flow));
  }
  const given = await readToken(host, token);
  const attended = host.stderr.isTerminal && !host.env['CI'];
  return await openIdentityToken(
    compact({
      env: host.env,
      services,
      program: host.program,
      given,
      ...(attended ? { login: () => login(browserOf(host) === undefined ? 'device' : 'browser') } : {}),
    }),
  );
}

/** A JSON Web Token as it is, or else a file with one in it: on a command line others may see it. */
async function readToken(host: Host, asked: string | undefined): Promise<string | undefined> {
  if (asked === undefined || /^\s*ey[\w-]+\.[\w-]+\.[\w-]*\s*$/.test(asked)) {
    return asked;
  }
  return decodeUtf8(await readUserFile(host, asked, maxToken, 'the identity token'));
}

async function logIn(
  host: Host,
  { clientId = 'sigstore', issuer }: Pick<KeylessRequest, 'clientId'> & { readonly issuer: URL | undefined },
  services: Services,
  flow: LoginFlow,
): Promise<string> {
  if (issuer === undefined) {
    throw askedWrongly('sign.issuer', 'the signing services name no OIDC issuer', {
      hint: 'give --oidc-issuer URL, or a token with --identity-token or SIGSTORE_ID_TOKEN',
    });
  }
  const provider = await discoverProvider({ issuer, clientId }, services);
  await host.stderr.write(
    'tcf: your e-mail address goes into the certificate; in a public log everybody can read it for ever\n',
  );
  if (flow === 'device') {
    const show = ({ address, userCode }: { readonly address: URL; readonly userCode: string }) =>
      host.stderr.write(`tcf: open ${address.href} and check the code ${printable(userCode, 100)}\n`);
    return await tokenByDevice(provider, services, show, host.sleep);
  }
  return await tokenByBrowser(provider, services, (address) => openBrowser(host, address));
}

/** The address is written in any case: the browser may be another one than the system believes. */
async function openBrowser(host: Host, address: URL): Promise<void> {
  await host.stderr.write(`tcf: log in with your browser at\n${address.href}\n`);
  const opener = browserOf(host);
  if (opener === undefined) {
    return;
  }
  try {
    await host.program(opener, [address.href], new Uint8Array(), {
      timeout: openerTimeout,
      output: maxToken,
    });
  } catch (error) {
    // It may stay as long as the browser does, or fail: the person has the address.
    if (!(error instanceof TcfError)) {
      throw error;
    }
  }
}

/** What opens an address where the person sits: not on the far end of SSH, nor without a screen. */
function browserOf({ env, find }: Host): string | undefined {
  if (env['SSH_CONNECTION']) {
    return undefined;
  }
  if (env['DISPLAY'] || env['WAYLAND_DISPLAY']) {
    return find('xdg-open');
  }
  // `open` is another program where there is no osascript.
  return find('wslview') ?? (find('osascript') === undefined ? undefined : find('open'));
}
