import { join, resolve } from 'node:path';
import { broken, type Diagnostic, ok, unknown } from '../../base/diagnostic.ts';
import { askedWrongly } from '../../base/error.ts';
import { parseJson } from '../../base/json.ts';
import { Shape } from '../../base/shape.ts';
import { lastLine, quoted } from '../../base/text.ts';
import type { HookCall } from '../../launch/oci-hook.ts';
import { shellWord } from '../../launch/shell.ts';
import { fileExists } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import { dependencyFindings } from './dependencies.ts';
import { ownerFinding, programFinding, readHookFile, removeHookFile, writeHookFile } from './files.ts';
import { dockerGaps } from './gaps.ts';
import { type Attempt, imageToAllow, proveAllowance, proveRefusal } from './proof.ts';
import type { HookPlace, StatusRequest } from './request.ts';
import { type HookTarget, isProven } from './target.ts';

const again = 'tcf hook install docker';
const status = 'tcf hook status docker';
const verb = 'hook docker';
export const pluginSocket = '/run/docker/plugins/tcf.sock';
const unit = '/etc/systemd/system/tcf-docker-authz.service';
const daemonConfig = '/etc/docker/daemon.json';

/** Docker: an authorization plugin, kept running by systemd before the daemon starts. */
export const docker: HookTarget = {
  name: 'docker',
  gaps: dockerGaps,

  async install(host, call, request) {
    const { config, service } = placesOf(host, request);
    const text = await withPlugin(host, config);
    await writeHookFile(host, service, unitFile(call));
    await writeHookFile(host, config, text);
    return [
      `wrote ${service}`,
      `wrote ${config}`,
      'now: systemctl daemon-reload && systemctl enable --now tcf-docker-authz && systemctl restart docker',
    ];
  },

  async status(host, request) {
    const { config, service } = placesOf(host, request);
    const text = await readHookFile(host, service);
    if (text === undefined) {
      return [broken('hook.service', `there is no service ${service}`, again)];
    }
    const words = wordsOf(text);
    const plugins = pluginsOf(await readConfig(host, config));
    const findings = [
      ownerFinding(host, service),
      ownerFinding(host, config),
      programFinding(words.slice(0, words.indexOf('hook')), again),
      ...(await dependencyFindings(host, words, again)),
      plugins.includes('tcf')
        ? ok('hook.config', `${config} names the plugin`)
        : broken('hook.config', `${config} does not name the plugin`, again),
    ];
    return findings.every(isProven) ? [...findings, ...(await prove(host, request))] : findings;
  },

  isInstalled: async (host, request) => fileExists(host, placesOf(host, request).service),

  async uninstall(host, request) {
    const { config, service } = placesOf(host, request);
    const settings = await readConfig(host, config);
    const plugins = pluginsOf(settings);
    // The daemon first: it does not start with a plugin that is not there.
    const lines: string[] = [];
    if (plugins.includes('tcf')) {
      const rest = plugins.filter((name) => name !== 'tcf');
      const { [key]: _, ...others } = settings;
      await writeHookFile(host, config, toJson(rest.length === 0 ? others : { ...settings, [key]: rest }));
      lines.push(`took tcf out of ${config}`, 'now: systemctl restart docker');
    }
    return [...lines, ...(await removeHookFile(host, service))];
  },
};

const key = 'authorization-plugins';
const toJson = (settings: Readonly<Record<string, unknown>>) => `${JSON.stringify(settings, undefined, 2)}\n`;

/** Elsewhere than `/` for those who prepare an image of a machine, and for tests. */
function placesOf(host: Host, request: HookPlace) {
  const root = resolve(host.cwd, request.root ?? '/');
  return {
    config: join(root, daemonConfig),
    service: join(root, unit),
  };
}

async function readConfig(host: Host, path: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await readHookFile(host, path);
  return text === undefined ? {} : new Shape(parseJson(text, quoted(path)), path).record();
}

function pluginsOf(settings: Readonly<Record<string, unknown>>): readonly string[] {
  const plugins = settings[key];
  return Array.isArray(plugins) ? plugins.map(String) : [];
}

async function withPlugin(host: Host, path: string): Promise<string> {
  const settings = await readConfig(host, path);
  const plugins = settings[key] ?? [];
  if (!Array.isArray(plugins)) {
    throw askedWrongly('hook.daemon-json', `${quoted(path)}: ${key} is not a list`, {
      hint: 'write it as a list first',
    });
  }
  return toJson({ ...settings, [key]: plugins.includes('tcf') ? plugins : [...plugins, 'tcf'] });
}

function unitFile({ env, flags, program }: HookCall): string {
  const call = [...program, 'hook', 'serve', 'docker', ...flags];
  return `[Unit]
Description=tcf: no container of Docker starts before its image has passed the policy
Before=docker.service

[Service]
${Object.entries(env)
  .map(([name, value]) => `Environment=${systemdWord(`${name}=${value}`)}\n`)
  .join('')}ExecStart=${call.map(systemdWord).join(' ')}
Restart=always

[Install]
WantedBy=multi-user.target
`;
}

/** systemd.service(5), "Command lines": quotes as in C, `%` and `$` doubled. */
function systemdWord(word: string): string {
  return shellWord(word) === word && !word.includes('%')
    ? word
    : `"${word.replace(/["\\]/g, '\\$&').replaceAll('%', '%%').replaceAll('$', '$$$$')}"`;
}

/** The words of `ExecStart`, as `systemdWord` wrote them. */
function wordsOf(unit: string): readonly string[] {
  const line = /^ExecStart=(.*)$/m.exec(unit)?.[1] ?? '';
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|[^\s"]+/g)].map(([word, quoted]) =>
    (quoted ?? word)
      .replaceAll('$$', '$')
      .replaceAll('%%', '%')
      .replace(/\\(["\\])/g, '$1'),
  );
}

/**
 * Asks the daemon itself: whether it has the plugin, and by two containers that are made and never started
 * whether it asks.
 */
async function prove(host: Host, request: StatusRequest): Promise<readonly Diagnostic[]> {
  const engine = host.find('docker');
  if (engine === undefined) {
    return [unknown('hook.runtime', 'there is no docker on PATH to ask the daemon with', status)];
  }
  const info = await host.run(engine, ['info', '--format', '{{json .Plugins.Authorization}}']);
  if (info.code !== 0) {
    return [unknown('hook.runtime', `the daemon does not answer: ${lastLine(info.stderr)}`, 'docker info')];
  }
  if (!/"tcf"/.test(info.stdout)) {
    return [
      broken(
        'hook.loaded',
        'the daemon runs without the plugin',
        'systemctl daemon-reload && systemctl restart docker',
      ),
    ];
  }
  const loaded = ok('hook.loaded', 'the daemon has the plugin');
  const nonce = crypto.randomUUID();
  const create = async (image: string): Promise<Attempt> => {
    const made = await host.run(engine, [
      'create',
      '--pull=never',
      '--name',
      `tcf-probe-${nonce}`,
      image,
      '/tcf-probe',
    ]);
    if (made.code === 0) {
      await host.run(engine, ['rm', '--force', `tcf-probe-${nonce}`]);
    }
    return { answered: true, started: made.code === 0, said: `docker says: ${lastLine(made.stderr)}` };
  };
  const nobody = `tcf-probe.invalid/${nonce}@sha256:${'0'.repeat(64)}`;
  const unsigned = await proveRefusal(host, verb, nonce, again, () => create(nobody));
  if (!isProven(unsigned)) {
    return [loaded, unsigned];
  }
  const signed = await imageToAllow(host, verb, request);
  return [loaded, unsigned, await proveAllowance(host, verb, signed, status, create)];
}
