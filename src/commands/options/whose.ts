import type { Command } from 'commander';
import type { Whose } from '../../app/trust/instances.ts';
import { flag, type Options } from './bag.ts';

export function declareWhose(command: Command): void {
  command.option('--machine', "what the policy of the machine is judged with, in place of the user's own");
}

export const readWhose = (options: Options): Whose => (flag(options, 'machine') ? 'machine' : 'user');
