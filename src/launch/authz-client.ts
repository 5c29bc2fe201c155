import { request } from 'node:http';
import { type Bytes, collect, encodeUtf8 } from '../base/bytes.ts';
import { reasonOf } from '../base/error.ts';
import { jsonLimits, parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';

/** Asks an authorization plugin as the Docker daemon would: `AuthZPlugin.AuthZReq` over its socket. */
export async function askAuthz(
  socket: string,
  question: Readonly<Record<string, string>>,
): Promise<{ readonly allow: boolean; readonly message: string } | { readonly error: string }> {
  const body = encodeUtf8(JSON.stringify(question));
  try {
    const bytes = await new Promise<Uint8Array>((resolve, reject) => {
      const asked = request(
        { socketPath: socket, method: 'POST', path: '/AuthZPlugin.AuthZReq', timeout: 120_000 },
        (response) => {
          collect(response as Bytes, jsonLimits.small.maxBytes, 'the answer of the plugin').then(
            resolve,
            reject,
          );
        },
      );
      asked.on('timeout', () => asked.destroy(new Error('no answer in two minutes')));
      asked.on('error', reject);
      asked.end(body);
    });
    const answer = new Shape(parseJson(bytes, 'the answer of the plugin'), 'the answer of the plugin');
    return { allow: answer.get('Allow').value === true, message: answer.optional('Msg')?.string() ?? '' };
  } catch (error) {
    return { error: reasonOf(error) };
  }
}
