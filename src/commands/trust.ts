import type { Command } from 'commander';
import { flag, type Options, textOption } from '../app/options.ts';
import { openUserServices } from '../app/registries.ts';
import { describeServices } from '../app/sign/services.ts';
import {
  type InstanceSigningConfig,
  loadInstance,
  loadSigningConfigs,
  trustStore,
  type Updated,
  updateInstance,
  type Whose,
} from '../app/trust/instances.ts';
import { loadFileRoot, loadInstanceRoot, maxTrustedRoot } from '../app/trust/trust.ts';
import { lintTrustedRoot } from '../attest/lint-root.ts';
import { listRoot } from '../attest/root-entries.ts';
import { parseTrustedRoot } from '../attest/trusted-root.ts';
import type { State } from '../attest/tuf/state.ts';
import { askedWrongly, cannotTell, TcfError } from '../base/error.ts';
import { jsonLimits } from '../base/json.ts';
import { plural, printable, quoted } from '../base/text.ts';
import { digestOf } from '../oci/digest.ts';
import {
  type ShownRoot,
  type ShownSigning,
  type ShownTuf,
  toTrustJson,
  toTrustText,
} from '../report/trust.ts';
import { chooseServices, parseSigningConfig } from '../sigstore/signing-config.ts';
import { parseInstanceName, type TrustStore } from '../sigstore/trust/store.ts';
import { fileExists, readUserFile } from '../system/files.ts';
import type { ExitCode, Host } from '../system/host.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
    command
      .argument(
        '<action>',
        'show: what is trusted, since when, and what is suspicious about it; update: ask the TUF mirror; import: bring a file',
      )
      .argument('[what]', 'the name of an instance; or a trusted_root.json, for show and import')
      .option('--mirror <url>', 'update: TUF mirror, in place of the one used last')
      .option('--root <file>', 'update: root.json to begin with, for an instance that tcf does not know')
      .option('--as <name>', 'import: the instance whose root it is (default: sigstore)')
      .option('--signing-config <file>', 'import: signing_config.json of the instance, for tcf sign')
      .option('--machine', "what the policy of the machine is judged with, in place of the user's own")
      .option('--json', 'show: for machines')
      .option('--timeout <seconds>', 'update: how long a mirror may stay silent (default: 30)')
      .addHelpText(
        'after',
        '\nInstances: sigstore, whose root tcf carries; github; and those that update and import made. update without a name renews every one that is kept.',
      );
  },
  async run(host, [action = '', what], options): Promise<ExitCode> {
    switch (action) {
      case 'show':
        return await show(host, what, options);
      case 'update':
        return await update(host, what, options);
      case 'import':
        return await bring(host, what, options);
      default:
        throw askedWrongly('trust.action', `tcf trust does not know ${quoted(action)}`, {
          hint: 'tcf trust show, tcf trust update, or tcf trust import FILE',
        });
    }
  },
};

const whoseOf = (options: Options): Whose => (flag(options, 'machine') ? 'machine' : 'user');

/** 1 where a root has an error: the answer to "is it sound" is no. */
async function show(host: Host, what: string | undefined, options: Options): Promise<ExitCode> {
  const whose = whoseOf(options);
  const names = what === undefined ? ['sigstore', ...(await trustStore(host, whose).names())] : [what];
  const roots = await Promise.all(
    [...new Set(names)].map((name) =>
      what !== undefined && fileExists(host, what) ? showFile(host, what) : showInstance(host, name, whose),
    ),
  );
  const text = flag(options, 'json') ? toTrustJson(roots, host.now()) : toTrustText(roots, host.now());
  await host.stdout.write(text);
  return roots.some(({ problems }) => problems.some(({ severity }) => severity === 'error')) ? 1 : 0;
}

async function showFile(host: Host, file: string): Promise<ShownRoot> {
  const { dated } = await loadFileRoot(host, file);
  return describe(host, dated, await readUserFile(host, file, maxTrustedRoot, 'the trusted root'));
}

async function showInstance(host: Host, name: string, whose: Whose): Promise<ShownRoot> {
  const { dated } = await loadInstanceRoot(host, name, whose);
  const { bytes, origin } = await loadInstance(host, name, [whose]);
  const state = origin === 'tcf trust update' ? await trustStore(host, whose).state(name) : undefined;
  const signing = (await loadSigningConfigs(host, name, whose)).map((config) => showSigning(host, config));
  const shown = { ...describe(host, dated, bytes), signing };
  return state === undefined ? shown : { ...shown, tuf: toShownTuf(state) };
}

function describe(host: Host, root: ShownRoot['root'], bytes: Uint8Array): ShownRoot {
  return { root, entries: listRoot(bytes), problems: lintTrustedRoot(bytes, host.now()), signing: [] };
}

function showSigning(host: Host, { asOf, bytes, file, name, origin }: InstanceSigningConfig): ShownSigning {
  const shown = { file, origin, asOf };
  try {
    const services = chooseServices(parseSigningConfig(bytes, `the ${file} of ${name}`), host.now());
    return { ...shown, services: describeServices(services) };
  } catch (error) {
    // One whose services have all ended is still what is kept, and says something.
    if (error instanceof TcfError && error.exit === 2)
      return { ...shown, services: [], problem: error.message };
    throw error;
  }
}

function toShownTuf({ mirror, repository }: State): ShownTuf {
  const { root, snapshot, targets, timestamp } = repository;
  return {
    mirror,
    root: root.version,
    ...(timestamp === undefined ? {} : { timestamp: timestamp.version, expires: timestamp.expires }),
    ...(snapshot === undefined ? {} : { snapshot: snapshot.version }),
    ...(targets === undefined ? {} : { targets: targets.version }),
  };
}

/** One mirror that is down does not keep the others from being asked; the first error is the answer all the same. */
async function update(host: Host, what: string | undefined, options: Options): Promise<ExitCode> {
  const services = await openUserServices(host, options);
  const mirror = textOption(options, 'mirror');
  const root = textOption(options, 'root');
  const whose = whoseOf(options);
  const request = {
    whose,
    ...(mirror === undefined ? {} : { mirror }),
    ...(root === undefined ? {} : { root }),
  };
  const errors: TcfError[] = [];
  for (const name of await namesToUpdate(trustStore(host, whose), what, mirror, root)) {
    try {
      await tell(host, name, await updateInstance(host, services, { ...request, name }));
    } catch (error) {
      if (!(error instanceof TcfError)) throw error;
      errors.push(error);
      if (errors.length > 1) await host.stderr.write(`tcf: error: ${printable(error.message, 2000)}\n`);
    }
  }
  const [first] = errors;
  if (first !== undefined) throw first;
  return 0;
}

async function namesToUpdate(
  store: TrustStore,
  what: string | undefined,
  mirror: string | undefined,
  root: string | undefined,
): Promise<readonly string[]> {
  if (what !== undefined) return [what];
  // An instance that is new to tcf is called as its mirror is.
  if (root !== undefined && mirror !== undefined && URL.canParse(mirror))
    return [parseInstanceName(new URL(mirror).hostname)];
  if (root !== undefined || mirror !== undefined) {
    throw askedWrongly('trust.name', 'it is not clear which instance is meant', {
      hint: 'tcf trust update NAME --mirror URL, and --root FILE for an instance that tcf does not know',
    });
  }
  const kept = await store.names();
  const followed = await Promise.all(
    kept.map(async (name) => ((await isFollowed(store, name)) ? [name] : [])),
  );
  return [...new Set(['sigstore', ...followed.flat()])];
}

/** An instance that was only ever imported has no mirror; one whose state is corrupt has, and is mended. */
async function isFollowed(store: TrustStore, name: string): Promise<boolean> {
  try {
    return (await store.state(name)) !== undefined;
  } catch (error) {
    if (error instanceof TcfError && error.code === 'trust.corrupt') return true;
    throw error;
  }
}

async function tell(host: Host, name: string, { before, state, warning }: Updated): Promise<void> {
  if (warning !== undefined) await host.stderr.write(`tcf: warning: ${printable(warning, 2000)}\n`);
  const { root, timestamp, trustedRoot } = state.repository;
  if (trustedRoot === undefined) throw cannotTell('trust.corrupt', `there is no trusted root of ${name}`);
  for (const { path, reason } of parseTrustedRoot(trustedRoot.bytes).skipped)
    await host.stderr.write(`tcf: warning: ${printable(path)} does not count: ${printable(reason)}\n`);
  const digest = digestOf(trustedRoot.bytes);
  const old = before?.repository.trustedRoot;
  const change = old !== undefined && digestOf(old.bytes) === digest ? 'unchanged' : 'new';
  const configs = Object.keys(trustedRoot.signingConfigs).length;
  const more = configs === 0 ? '' : `; ${plural(configs, 'signing config')}`;
  await host.stdout.write(
    `${name} is up to date: TUF root ${root.version}, timestamp ${timestamp?.version}; trusted root ${digest}, ${change}${more}\n`,
  );
}

/**
 * A root that the user brings along. What has errors is not taken; nor is one that is older than what is known, or that has nothing in common
 * with it: that is another instance, and needs a name of its own.
 */
async function bring(host: Host, file: string | undefined, options: Options): Promise<ExitCode> {
  if (file === undefined) {
    throw askedWrongly('trust.import', 'there is nothing to import', { hint: 'tcf trust import FILE' });
  }
  const name = parseInstanceName(textOption(options, 'as') ?? 'sigstore');
  const bytes = await readUserFile(host, file, maxTrustedRoot, 'the trusted root');
  const { digest, newest } = parseTrustedRoot(bytes, { what: file });
  const problems = lintTrustedRoot(bytes, host.now());
  for (const { message, path, severity } of problems)
    await host.stderr.write(`tcf: ${severity}: ${printable(path)} ${printable(message)}\n`);
  if (problems.some(({ severity }) => severity === 'error')) {
    await host.stderr.write(`${printable(file)} was not imported\n`);
    return 1;
  }
  const whose = whoseOf(options);
  await refuseStranger(host, name, whose, bytes, newest);
  const config = await readConfig(host, options);
  await trustStore(host, whose).import(name, {
    bytes,
    importedAt: host.now(),
    ...(config === undefined ? {} : { signingConfig: config }),
  });
  await host.stdout.write(`${printable(file)} is the trusted root of ${name} now: ${digest}\n`);
  return 0;
}

/** What cannot be read now could not be read when somebody signs. */
async function readConfig(host: Host, options: Options): Promise<Uint8Array | undefined> {
  const file = textOption(options, 'signingConfig');
  if (file === undefined) return undefined;
  const bytes = await readUserFile(host, file, jsonLimits.small.maxBytes, 'the signing config');
  parseSigningConfig(bytes, quoted(file));
  return bytes;
}

async function refuseStranger(
  host: Host,
  name: string,
  whose: Whose,
  bytes: Uint8Array,
  newest: Date,
): Promise<void> {
  const known = await knownInstance(host, name, whose);
  if (known === undefined) return;
  const before = parseTrustedRoot(known, { what: name });
  if (newest < before.newest) {
    throw cannotTell('trust.rollback', `this root of ${name} is older than the one that is known`, {
      hint: `its newest entry is of ${newest.toISOString()}, and ${before.newest.toISOString()} is known; --trusted-root FILE uses it all the same, once`,
    });
  }
  const uris = new Set(listRoot(known).map(({ uri }) => uri));
  if (listRoot(bytes).some(({ uri }) => uris.has(uri))) return;
  throw askedWrongly('trust.stranger', `this root has nothing in common with that of ${name}`, {
    hint: 'give it a name of its own with --as NAME, and name that in the policy: trust: { instances: [NAME] }',
  });
}

async function knownInstance(host: Host, name: string, whose: Whose): Promise<Uint8Array | undefined> {
  try {
    return (await loadInstance(host, name, [whose])).bytes;
  } catch (error) {
    if (error instanceof TcfError && error.code === 'trust.unknown') return undefined;
    throw error;
  }
}
