import { join, resolve } from 'node:path';
import { askedWrongly } from '../../base/error.ts';
import { parseJson } from '../../base/json.ts';
import { Shape } from '../../base/shape.ts';
import { printable, quoted } from '../../base/text.ts';
import { askAuthz } from '../../launch/authz-client.ts';
import type { HookCall } from '../../launch/oci-hook.ts';
import { shellWord } from '../../launch/shell.ts';
import type { Host } from '../../system/host.ts';
import { type Options, textOption } from '../options.ts';
import { ownerFinding, programFinding, readHookFile, removeHookFile, writeHookFile } from './files.ts';
import { broken, fine, type HookFinding, type HookTarget } from './target.ts';

const again = 'tcf hook install docker';
export const pluginSocket = '/run/docker/plugins/tcf.sock';
const unit = '/etc/systemd/system/tcf-docker-authz.service';
const daemonConfig = '/etc/docker/daemon.json';

/** Docker: an authorization plugin, kept running by systemd before the daemon starts. */
export const docker: HookTarget = {
  name: 'docker',
  gaps: [
    'containers that the daemon restarts by itself (--restart), and new processes in those that run (docker exec)',
    'another container that gets the name between the question and the start; an id cannot move',
    'whoever reaches the socket of containerd below the daemon',
  ],

  async install(host, call, options) {
    const { config, service } = placesOf(host, options);
    const text = await withPlugin(host, config);
    await writeHookFile(host, service, unitFile(call));
    await writeHookFile(host, config, text);
    return [
      `wrote ${service}`,
      `wrote ${config}`,
      'now: systemctl daemon-reload && systemctl enable --now tcf-docker-authz && systemctl restart docker',
    ];
  },

  async status(host, options) {
    const { config, service, socket } = placesOf(host, options);
    const text = await readHookFile(host, service);
    if (text === undefined) return [broken(`there is no service ${service}`, again)];
    const program = /^ExecStart=(.*) hook serve docker/m.exec(text)?.[1]?.split(' ') ?? [];
    const plugins = pluginsOf(await readConfig(host, config));
    const findings = [
      ownerFinding(host, service),
      programFinding(program, again),
      plugins.includes('tcf')
        ? fine(`${config} names the plugin`)
        : broken(`${config} does not name the plugin`, again),
    ];
    return findings.every(({ ok }) => ok) ? [...findings, await probe(socket)] : findings;
  },

  async uninstall(host, options) {
    const { config, service } = placesOf(host, options);
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
function placesOf(host: Host, options: Options) {
  const root = resolve(host.cwd, textOption(options, 'root') ?? '/');
  return {
    config: join(root, daemonConfig),
    service: join(root, unit),
    socket: join(root, pluginSocket),
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
      hint: 'mend it first',
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

async function probe(socket: string): Promise<HookFinding> {
  const image = `tcf-probe.invalid/${crypto.randomUUID()}@sha256:${'0'.repeat(64)}`;
  const answer = await askAuthz(socket, {
    RequestMethod: 'POST',
    RequestUri: '/v1.41/containers/create',
    RequestBody: Buffer.from(JSON.stringify({ Image: image })).toString('base64'),
  });
  if ('error' in answer)
    return broken(
      `the plugin does not answer: ${printable(answer.error)}`,
      'systemctl start tcf-docker-authz',
    );
  return answer.allow
    ? broken('it allowed an image that nobody signed', again)
    : fine('it denied an image that nobody signed');
}
