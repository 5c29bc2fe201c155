// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of devcontainer.json
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseRunArguments } from '../../../src/launch/arguments.ts';
import { findRunFlag, judgeFlag, runFlagTable } from '../../../src/launch/flags/table.ts';
import { flagTable } from '../../support/flag-table.ts';

/*
 * upstream.txt: each flag with the first and the last release that has it, read from the tags of
 * containers/podman (4.3 to 5.8) and docker/cli (20.10 to 29.7): man pages, command definitions and hidden
 * flags. test/e2e/flags.test.ts asks the programs that are installed.
 */
const upstream = readFileSync(join(import.meta.dirname, 'upstream.txt'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split(' ') as [verb: string, name: string, since: string, until: string]);

test('every flag of every release has a class', () => {
  expect(upstream.length).toBeGreaterThan(300);
  expect(upstream.filter(([, name]) => findRunFlag(name) === undefined)).toEqual([]);
});

test('every row of the table is a flag of some release, once', () => {
  const known = new Set(upstream.map(([, name]) => name));
  expect(runFlagTable.map(({ name }) => name).filter((name) => !known.has(name))).toEqual([]);
  expect(new Set(runFlagTable.map(({ name }) => name)).size).toBe(runFlagTable.length);
  const letters = runFlagTable.flatMap(({ letter }) => letter ?? []);
  expect(new Set(letters).size).toBe(letters.length);
});

test('what is not harmless says why', () => {
  expect(runFlagTable.filter((flag) => flag.class !== 'harmless' && !flag.why)).toEqual([]);
});

test('docs/runtime-flags.md is the table', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/runtime-flags.md'), 'utf8');
  expect(page).toContain(flagTable());
});

/** What a flag whose class follows from its value is called with, so that each row is tried. */
const worst: Readonly<Record<string, string>> = {
  mount: 'type=image,src=x,dst=/y',
  'storage-opt': 'ignore_chown_errors=true',
  volume: '/:/x',
};

test.for(runFlagTable.map((flag) => [flag.name, flag] as const))(
  '--%s does what its class says',
  ([name, flag]) => {
    const value = worst[name] ?? (flag.judge === undefined ? 'x' : 'container:x');
    const line = flag.takesValue ? [`--${name}`, value, 'app'] : [`--${name}`, 'app'];
    const parse = () => parseRunArguments(line, {});
    if (flag.class === 'harmless' || flag.class === 'host') {
      const { image, judged } = parse();
      expect(image).toBe('app');
      expect(judged.map((found) => found.class)).toEqual([flag.class]);
    } else {
      expect(parse).toThrow(`tcf run does not take --${name}`);
    }
  },
);

const judge = (word: string) => {
  const [, name = '', value = ''] = /^--([\w-]+)=?(.*)$/s.exec(word) ?? [];
  const flag = findRunFlag(name);
  return flag === undefined ? 'unknown' : judgeFlag(flag, value).class;
};

describe('by value', () => {
  test.for<readonly [word: string, expected: string]>([
    ['--network=none', 'harmless'],
    ['--network=bridge:alias=a,ip=10.0.0.1', 'harmless'],
    ['--network=name=own,alias=a', 'harmless'],
    ['--network=host', 'host'],
    ['--network=name=host', 'host'],
    ['--network=ns:/proc/1/ns/net', 'host'],
    ['--network=pasta:--log-file=/etc/x', 'host'],
    ['--network=container:evil', 'joins'],
    ['--network=name=container:evil', 'joins'],
    ['--network=alias=a,name=container:evil', 'joins'],
    ['--network=name=own,name=container:evil', 'joins'],
    ['--network=name=own,"name=container:evil"', 'joins'],
    ['--network="name=container:evil"', 'joins'],
    ['--network=own,container:evil', 'joins'],
    ['--net=container:evil', 'joins'],
    ['--pid=', 'harmless'],
    ['--pid=private', 'harmless'],
    ['--pid=host', 'host'],
    ['--pid=container:evil', 'joins'],
    ['--pid=pod:evil', 'joins'],
    ['--ipc=host', 'harmless'],
    ['--ipc=container:evil', 'joins'],
    ['--uts=host', 'host'],
    ['--uts=container:evil', 'joins'],
    ['--userns=keep-id:uid=1000,gid=1000', 'harmless'],
    ['--userns=host', 'host'],
    ['--userns=container:evil', 'joins'],
    ['--cgroupns=container:evil', 'joins'],
    ['--device=nvidia.com/gpu=all', 'harmless'],
    ['--device=nvidia.com/gpu=MIG-5c0e1b6f-1', 'harmless'],
    ['--device=/dev/dri', 'harmless'],
    ['--device=/dev/dri/renderD128:/dev/dri/renderD128:rw', 'harmless'],
    ['--device=/dev/sda', 'host'],
    ['--device=/dev/dri/../sda', 'host'],
    ['--device=/dev/mem:/dev/kfd', 'host'],
    ['--device=/dev', 'host'],
    ['--cap-add=SYS_PTRACE', 'harmless'],
    ['--cap-add=cap_perfmon,CHOWN', 'harmless'],
    ['--cap-add=SYS_ADMIN', 'host'],
    ['--cap-add=CHOWN,SYS_MODULE', 'host'],
    ['--cap-add=ALL', 'host'],
    ['--security-opt=label=disable', 'harmless'],
    ['--security-opt=seccomp=unconfined', 'harmless'],
    ['--security-opt=seccomp=/x.json', 'host'],
    ['--security-opt=systempaths=unconfined', 'host'],
    ['--security-opt=unmask=ALL', 'host'],
    ['--security-opt=no-new-privileges=false', 'host'],
    ['--log-opt=max-size=1m', 'harmless'],
    ['--log-opt=path=/etc/cron.d/x', 'host'],
    ['--log-driver=journald', 'harmless'],
    ['--log-driver=syslog', 'host'],
    ['--storage-opt=size=10G', 'harmless'],
    ['--storage-opt=overlay.mount_program=/x', 'decides'],
    ['--volume=/anonymous', 'harmless'],
    ['--volume=cache:/cache:ro,z', 'harmless'],
    ['--volume=${localWorkspaceFolder}:/w', 'harmless'],
    ['--volume=${localWorkspaceFolder}/a/b:/w:ro', 'harmless'],
    ['--volume=${localEnv:HOME}/.triton:/t', 'harmless'],
    ['--volume=${localWorkspaceFolder}/../..:/w', 'host'],
    ['--volume=${localWorkspaceFolder}x:/w', 'host'],
    ['--volume=${localEnv:NONE:/}:/w', 'host'],
    ['--volume=${localEnv:HOME}/.ssh:/w', 'host'],
    ['--volume=/:/host', 'host'],
    ['--volume=/var/run/docker.sock:/var/run/docker.sock', 'host'],
    ['--volume=cache:/c:O,upperdir=/etc,workdir=/w', 'host'],
    ['--volume=cache:/c:rshared', 'host'],
    ['--mount=type=bind,source=${localWorkspaceFolder},target=/w', 'harmless'],
    ['--mount=type=tmpfs,dst=/x,tmpfs-size=1m', 'harmless'],
    ['--mount=src=cache,dst=/x', 'harmless'],
    ['--mount=type=bind,src=/,dst=/x', 'host'],
    ['--mount=type=bind,src=ok,src=/,dst=/x', 'host'],
    [
      '--mount=type=volume,src=x,dst=/x,volume-driver=local,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/',
      'host',
    ],
    ['--mount=type=glob,src=/etc/*,dst=/x', 'host'],
    ['--mount=type=image,src=evil,dst=/x', 'content'],
    ['--mount=dst=/x, TYPE = image,src=evil', 'content'],
    ['--mount="type=image",src=evil,dst=/x', 'content'],
    ['--mount=type=artifact,src=evil,dst=/x', 'content'],
    ['--mount=type=bind,type=image,src=evil,dst=/x', 'content'],
    ['--mount=type=cluster,src=evil,dst=/x', 'content'],
    ['--mount=type=bind,src=data,dst=/x', 'host'],
    ['--mount=TYPE=BIND,src=data,dst=/x', 'host'],
    ['--volume=cache:/c/${localWorkspaceFolderBasename}', 'harmless'],
    ['--volume=cache:/c${localEnv:X}', 'host'],
    ['--volume=${localEnv:X}', 'host'],
    ['--env=A=b', 'harmless'],
    ['--env=A=', 'harmless'],
    ['--env=HOME', 'harmless'],
    ['--env=TRITON_CACHE_DIR', 'harmless'],
    ['--env=GITHUB_TOKEN', 'host'],
    ['--env=G*', 'host'],
    ['--env=*', 'host'],
    ['--label-file=${localWorkspaceFolder}/labels', 'harmless'],
    ['--env-file=${localWorkspaceFolder}/.env', 'host'],
    ['--env-file=/root/.ssh/id_ed25519', 'host'],
    ['--env-file=.env', 'host'],
  ])('%s is %s', ([word, expected]) => {
    expect(judge(word)).toBe(expected);
  });
});
