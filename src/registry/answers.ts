import { collect } from '../base/bytes.ts';
import { cannotTell, TcfError } from '../base/error.ts';
import { parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { printable, quoted } from '../base/text.ts';
import { type HttpAnswer, type Timeouts, within } from './transport.ts';

/** Errors, tokens: the largest seen (Docker Hub's tokens with many scopes) have under 10 KiB. */
export const maxSmallAnswer: number = 256 * 1024;

/** The whole body of one document. @throws TcfError `bytes.too-large` or `registry.unreachable`. */
export function readDocument(
  answer: HttpAnswer,
  limit: number,
  what: string,
  timeouts: Timeouts,
): Promise<Uint8Array> {
  return within(timeouts.document, collect(answer.body, limit, what), () => {
    answer.end();
    return cannotTell('registry.unreachable', `${what} did not arrive within ${timeouts.document / 1000} s`);
  });
}

/** What an answer that was not hoped for means. Reads the body for the registry's own words. */
export async function failure(answer: HttpAnswer, what: string, timeouts: Timeouts): Promise<TcfError> {
  const { status, url } = answer;
  const said = await saidWhy(answer, timeouts);
  const message = `${quoted(url.host)} answered ${status} to ${what}${said === '' ? '' : `: ${said}`}`;
  if (status === 401 || status === 403) {
    return cannotTell('registry.unauthorized', message, {
      hint: `log in with podman login or docker login for this registry, or check that the name is right`,
    });
  }
  if (status === 429) {
    const after = answer.headers['retry-after'];
    return cannotTell('registry.refused', message, {
      hint: `the registry limits requests; wait${after === undefined ? '' : ` (${printable(after, 40)})`} or log in`,
    });
  }
  if (status >= 500) {
    return cannotTell('registry.unreachable', message, { hint: 'try again later' });
  }
  if (status === 404) {
    return cannotTell('registry.missing', message);
  }
  if (status === 405) {
    return cannotTell('registry.refused', message, {
      hint: 'the registry takes nothing here: it may be read-only, or a mirror of another one',
    });
  }
  if (status >= 400) {
    return cannotTell('registry.refused', message);
  }
  return cannotTell('registry.protocol', message);
}

/**
 * The first error of the distribution specification's list; empty where the body is something else, such as a
 * proxy's page.
 */
async function saidWhy(answer: HttpAnswer, timeouts: Timeouts): Promise<string> {
  try {
    const bytes = await readDocument(answer, maxSmallAnswer, 'the error', timeouts);
    const [first] = new Shape(parseJson(bytes, 'the error'), 'error').get('errors').list(100);
    if (first === undefined) {
      return '';
    }
    const message = first.optional('message')?.string() ?? '';
    return `${printable(first.get('code').string(), 60)} ${quoted(message)}`;
  } catch (error) {
    if (error instanceof TcfError) {
      return '';
    }
    throw error;
  }
}
