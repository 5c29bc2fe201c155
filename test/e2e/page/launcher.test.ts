import { walks } from './steps.ts';
import { takeSteps } from './take-steps.ts';

/*
 * docs/nothing-unverified-starts.md, statement by statement (walk.txt): The launcher, and images that were
 * built here.
 */

takeSteps(walks.launcher);
