import { main } from './cli.ts';
import { processHost } from './system/process-host.ts';

void main(process.argv.slice(2), processHost(process)).then((exit) => {
  process.exitCode = exit;
});
