import type { VerifyRequest } from '../../app/verify-image.ts';
import type { Options } from './bag.ts';
import { readVerifyRequest } from './verify.ts';

/** The question of a verb that starts something: the cache answers unless `--no-cache` stands there. */
export function readStartRequest(options: Options, image: string, verb: string): VerifyRequest {
  const cache = options['noCache'] !== true && options['cache'] !== false;
  return { ...readVerifyRequest(options, image, verb), cache };
}
