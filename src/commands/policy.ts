import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { type Options, textOption } from '../app/options.ts';
import { readSbomFile } from '../app/read-sbom.ts';
import { loadPolicies, loadPolicy } from '../app/trust/policies.ts';
import { hasErrors } from '../base/diagnostic.ts';
import { askedWrongly } from '../base/error.ts';
import { plural, printable, quoted } from '../base/text.ts';
import { parseImageRef } from '../oci/reference.ts';
import { unmatchedEntries } from '../policy/against.ts';
import { checkPolicy } from '../policy/check.ts';
import { explainName } from '../policy/explain.ts';
import { exportTargets } from '../policy/exports/index.ts';
import type { Exported } from '../policy/exports/target.ts';
import { toPolicyJsonSchema } from '../policy/schema.ts';
import { formatDiagnostics } from '../report/diagnostics.ts';
import { toExplainText } from '../report/explain-text.ts';
import { makeFolder, writeUserFile } from '../system/files.ts';
import type { ExitCode, Host } from '../system/host.ts';
import type { Verb } from './verb.ts';

const targets = exportTargets.map(({ name }) => name).join('|');

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument(
        '<action>',
        'check FILE: read a policy and say what it covers; explain IMAGE: which rules decide about an image of that name; export FILE: the policy for another engine; schema: the JSON Schema of policies',
      )
      .argument('[what]', 'the policy to check or export, or the image to explain')
      .option('--policy <file>', 'explain: a policy beside those of machine, user and project')
      .option('--against <sbom>', 'check: list the entries of components that match nothing in this SBOM')
      .option(`--to <${targets}>`, 'export: for which engine')
      .option('-o, --output <folder>', 'export: write the files there (default: print them)');
  },
  async run(host, [action, what], options): Promise<ExitCode> {
    if (action === 'schema' && what === undefined) {
      await host.stdout.write(`${JSON.stringify(toPolicyJsonSchema(), undefined, 2)}\n`);
      return 0;
    }
    if (action === 'check' && what !== undefined)
      return await check(host, what, textOption(options, 'against'));
    if (action === 'explain' && what !== undefined) return await explain(host, what, options);
    if (action === 'export' && what !== undefined) return await exportPolicy(host, what, options);
    throw askedWrongly(
      'policy.action',
      `tcf policy does not know ${quoted([action, what].join(' ').trim())}`,
      { hint: 'tcf policy check FILE, explain IMAGE, export --to TARGET FILE, or schema' },
    );
  },
};

/** No is the answer for a policy that lets everything through: in CI it has to be seen, not only read. */
async function check(host: Host, file: string, against: string | undefined): Promise<ExitCode> {
  const policy = await loadPolicy(host, file);
  await host.stdout.write(
    `${file} is a policy: ${plural(policy.signers.size, 'signer')}, ${plural(policy.scopes.length, 'scope')}\n`,
  );
  for (const scope of policy.scopes)
    await host.stdout.write(`  ${printable(scope.match)}: ${Object.keys(scope.require).join(', ')}\n`);
  const unmatched = against === undefined ? [] : unmatchedEntries(policy, await readSbomFile(host, against));
  const diagnostics = [...checkPolicy(policy, host.now()), ...unmatched];
  await host.stderr.write(formatDiagnostics(diagnostics));
  return hasErrors(diagnostics) ? 1 : 0;
}

/** Asks nobody: what is said follows from the policies and the name. */
async function explain(host: Host, name: string, options: Options): Promise<ExitCode> {
  const ref = parseImageRef(name.replace(/^docker:\/\//, ''));
  const explained = explainName(await loadPolicies(host, textOption(options, 'policy')), ref);
  await host.stdout.write(toExplainText(ref, explained));
  return explained.every(({ scope }) => scope !== undefined) ? 0 : 1;
}

async function exportPolicy(host: Host, file: string, options: Options): Promise<ExitCode> {
  const name = textOption(options, 'to');
  const target = exportTargets.find((one) => one.name === name);
  if (target === undefined) {
    throw askedWrongly(
      'policy.target',
      name === undefined ? 'nothing says for which engine' : `tcf does not export to ${quoted(name)}`,
      { hint: `give --to ${targets}` },
    );
  }
  const outcome = target.toFiles(await loadPolicy(host, file));
  if (!outcome.ok) {
    for (const { place, why } of outcome.reason)
      await host.stderr.write(`${file}: ${printable(place)}: ${printable(why, 2000)}\n`);
    await host.stderr.write(`tcf: ${target.name} cannot say what the policy says; nothing was exported\n`);
    return 1;
  }
  const { files, notes } = outcome.value;
  for (const note of notes) await host.stderr.write(`tcf: note: ${printable(note, 2000)}\n`);
  await writeFiles(host, files, textOption(options, 'output'));
  return 0;
}

async function writeFiles(host: Host, files: Exported['files'], folder: string | undefined): Promise<void> {
  const [only] = files;
  if (folder === undefined && only !== undefined && files.length === 1) {
    await host.stdout.write(only.content);
    return;
  }
  if (folder === undefined) {
    throw askedWrongly(
      'policy.output',
      `there are ${files.length} files: ${files.map(({ path }) => path).join(', ')}`,
      {
        hint: 'give --output FOLDER',
      },
    );
  }
  for (const { content, path } of files) {
    await makeFolder(host, dirname(join(folder, path)));
    await writeUserFile(host, join(folder, path), content);
    await host.stderr.write(`wrote ${join(folder, path)}\n`);
  }
}
