import { callWith, everyCall } from './every-verb.ts';

/*
 * Every verb by the user who runs this, in a folder with a home: node every-verb-as.ts CWD HOME. Prints a
 * line of JSON for each.
 */

const [cwd = '/', home = '/'] = process.argv.slice(2);
for (const call of await everyCall()) {
  const called = await callWith(call, { cwd, env: { HOME: home, PATH: '/usr/bin:/bin' } });
  process.stdout.write(`${JSON.stringify({ call, ...called })}\n`);
}
