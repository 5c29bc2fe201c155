import { walks } from './steps.ts';
import { takeSteps } from './take-steps.ts';

/*
 * docs/nothing-unverified-starts.md, statement by statement (walk.txt): Dev containers, opened by the real
 * CLI; cache and log.
 */

takeSteps(walks['dev-containers']);
