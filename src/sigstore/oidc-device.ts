import { askedWrongly, cannotTell } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import {
  askForToken,
  checkToken,
  formQuestion,
  newProofKey,
  notGranted,
  oauthError,
  type Provider,
  readEndpoint,
  scope,
} from './oidc.ts';
import { jsonOf, type Services } from './services.ts';

/** What the person has to do, somewhere else. */
export interface DeviceCode {
  readonly userCode: string;
  readonly address: URL;
}

/** In seconds. RFC 8628, 3.2: five where nothing is said; an issuer's word is taken within these bounds. */
const interval = { least: 1, usual: 5, most: 60, step: 5 } as const;
/** Seconds: the longest that a code lives, whatever the issuer says. */
const maxLifetime = 900;

/**
 * Asks a person on another device (RFC 8628). `show` gets the code and where to type it in; `sleep` waits
 * `ms` milliseconds.
 *
 * @throws TcfError `oidc.*`, `sigstore.*` (exit 2); `oidc.device` (exit 3) where the issuer has no such flow.
 */
export async function tokenByDevice(
  provider: Provider,
  services: Services,
  show: (code: DeviceCode) => Promise<void>,
  sleep: (ms: number) => Promise<void>,
): Promise<string> {
  const { device, issuer, clientId } = provider;
  if (device === undefined) {
    throw askedWrongly('oidc.device', `${quoted(issuer.host)} gives no device codes`, {
      hint: 'use --oidc-flow browser',
    });
  }
  const { verifier, challenge } = newProofKey();
  const form = { client_id: clientId, scope, code_challenge: challenge, code_challenge_method: 'S256' };
  const question = formQuestion(device, form, 'a device code');
  const reply = await services(question);
  if (reply.status !== 200) {
    const { error, description } = oauthError(question, reply);
    throw notGranted(issuer, error, description);
  }
  const code = jsonOf(question, reply, (shape) => ({
    secret: shape.get('device_code').string(4096),
    userCode: shape.get('user_code').string(100),
    // Where it would lead is written into a terminal, and clicked.
    address: readEndpoint(
      shape.optional('verification_uri_complete') ?? shape.get('verification_uri'),
      issuer,
    ),
    expires: shape.get('expires_in').whole(),
    interval: shape.optional('interval')?.whole() ?? interval.usual,
  }));
  await show(code);
  let pause = Math.min(Math.max(code.interval, interval.least), interval.most);
  for (let waited = pause; waited <= Math.min(code.expires, maxLifetime); waited += pause) {
    await sleep(pause * 1000);
    const answer = await askForToken(
      provider,
      {
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
        device_code: code.secret,
        scope,
        code_verifier: verifier,
      },
      services,
    );
    if (answer.ok) {
      return checkToken(answer.token, provider, undefined);
    }
    if (answer.error === 'slow_down') {
      pause = Math.min(pause + interval.step, interval.most);
    } else if (answer.error === 'expired_token') {
      break;
    } else if (answer.error !== 'authorization_pending') {
      throw notGranted(issuer, answer.error, answer.description);
    }
  }
  throw cannotTell('oidc.timeout', `the code was not entered at ${quoted(issuer.host)} before it expired`, {
    hint: 'try again',
  });
}
