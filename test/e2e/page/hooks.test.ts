import { walks } from './steps.ts';
import { takeSteps } from './take-steps.ts';

/* docs/nothing-unverified-starts.md, statement by statement (walk.txt): Hooks. */

takeSteps(walks.hooks);
