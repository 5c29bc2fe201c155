import { askedWrongly, TcfError } from '../../base/error.ts';
import { Shape } from '../../base/shape.ts';
import { quoted } from '../../base/text.ts';
import { parseStrictYaml } from '../../policy/yaml.ts';
import { parseRunArguments } from '../arguments.ts';
import {
  type DevOptions,
  readDevice,
  readGpus,
  readJobs,
  readPort,
  readSource,
  readStack,
  readVariable,
  wrong,
} from './options.ts';

/** What a name after `tcf run` stands for. What the command line says goes before it. */
export type DevProfile = Partial<DevOptions>;

const nothing: Pick<DevOptions, 'command' | 'engineFlags' | 'sources' | 'variables'> = {
  command: [],
  engineFlags: [],
  sources: {},
  variables: {},
};

/** What every user has: the stacks of triton-dev-containers, and `dev` for its bare command line. */
export const builtIn: ReadonlyMap<string, DevProfile> = new Map<string, DevProfile>([
  ['dev', {}],
  ['helion', { stack: 'helion' }],
  ['torch', { stack: 'torch' }],
  ['triton', { stack: 'triton' }],
  ['vllm', { stack: 'vllm' }],
]);

/**
 * A name of an image has at least a dot, a colon, a slash or an @ where it leads elsewhere than to Docker
 * Hub.
 */
const nameForm = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const keys =
  'extends image device gpu stack tag jobs port user connection remove sources options mounts ports flags command';

/**
 * Reads profiles in YAML: those of the machine and of the user, never of a project, since a profile mounts
 * folders and chooses images.
 *
 * @throws TcfError `profile.malformed` (exit 3).
 */
export function parseProfiles(
  text: string,
  file: string,
  known: ReadonlyMap<string, DevProfile>,
): ReadonlyMap<string, DevProfile> {
  const document = new Shape(parseStrictYaml(text, file, 'profile').value, file);
  try {
    checkKeys(document, 'version profiles');
    if (document.get('version').value !== 1) {
      throw document.get('version').wrong('is not 1');
    }
    const profiles = new Map(known);
    for (const name of Object.keys(document.get('profiles').record())) {
      if (!nameForm.test(name)) {
        throw wrong(
          `${quoted(name)} cannot be the name of a profile`,
          'lower case letters, digits, "-" and "_"',
        );
      }
      profiles.set(name, readProfile(document.get('profiles').get(name), profiles));
    }
    return profiles;
  } catch (error) {
    if (!(error instanceof TcfError)) {
      throw error;
    }
    const at = error.message.includes(file) ? '' : `${file}: `;
    throw askedWrongly(
      'profile.malformed',
      `${at}${error.message}`,
      error.hint === undefined ? {} : { hint: error.hint },
    );
  }
}

function checkKeys(shape: Shape, allowed: string): void {
  const odd = Object.keys(shape.record()).find((key) => !allowed.split(' ').includes(key));
  if (odd !== undefined) {
    throw shape.wrong(`has the unknown key ${quoted(odd)}; it knows ${allowed}`);
  }
}

function readProfile(shape: Shape, known: ReadonlyMap<string, DevProfile>): DevProfile {
  checkKeys(shape, keys);
  const text = <T>(key: string, name: string, read: (value: string) => T) => {
    const value = shape.optional(key)?.value;
    if (value === undefined) {
      return {};
    }
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw shape.get(key).wrong('is not a text');
    }
    return { [name]: read(String(value)) };
  };
  const same = (value: string) => value;
  const flags = [
    ...texts(shape, 'flags'),
    ...texts(shape, 'mounts').map((mount) => `--volume=${mount}`),
    ...texts(shape, 'ports').map((port) => `--publish=${port}`),
  ];
  const own: DevProfile = {
    ...text('image', 'image', same),
    ...text('device', 'device', readDevice),
    ...text('gpu', 'gpus', readGpus),
    ...text('stack', 'stack', readStack),
    ...text('tag', 'tag', same),
    ...text('jobs', 'jobs', readJobs),
    ...text('port', 'port', readPort),
    ...text('user', 'user', same),
    ...text('connection', 'connection', same),
    ...(shape.optional('remove') === undefined ? {} : { remove: shape.get('remove').boolean() }),
    sources: Object.fromEntries(pairs(shape, 'sources').map(readSource)),
    variables: Object.fromEntries(pairs(shape, 'options').map(readVariable)),
    engineFlags: readFlags(flags),
    command: texts(shape, 'command'),
  };
  const parent = shape.optional('extends')?.string(100);
  if (parent === undefined) {
    return own;
  }
  const base = known.get(parent);
  if (base === undefined) {
    throw shape.get('extends').wrong(`names no profile before this one: ${quoted(parent)}`);
  }
  return { ...base, ...own, ...joined(base, own) };
}

/**
 * The same closed list of flags as on the command line. A word that is none would end the flags, and stand
 * where the image has to.
 */
function readFlags(flags: readonly string[]): readonly string[] {
  const end = 'the-image';
  const { engineFlags, image } = parseRunArguments([...flags, end], {});
  if (image !== end || engineFlags.length < flags.length) {
    throw wrong(`${quoted(image === end ? '--' : (image ?? ''))} is not a flag`);
  }
  return engineFlags;
}

function texts(shape: Shape, key: string): readonly string[] {
  return (
    shape
      .optional(key)
      ?.list(1000)
      .map((item) => item.string(4096)) ?? []
  );
}

function pairs(shape: Shape, key: string): readonly string[] {
  const member = shape.optional(key);
  if (member === undefined) {
    return [];
  }
  return Object.entries(member.record()).map(([name, value]) => {
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw member.get(name).wrong('is not a text');
    }
    return `${name}=${value}`;
  });
}

/** Lists add up, members override each other one by one. */
function joined(
  base: DevProfile,
  over: DevProfile,
): Pick<DevOptions, 'command' | 'engineFlags' | 'sources' | 'variables'> {
  return {
    sources: { ...base.sources, ...over.sources },
    variables: { ...base.variables, ...over.variables },
    engineFlags: [...(base.engineFlags ?? []), ...(over.engineFlags ?? [])],
    command: over.command?.length ? over.command : (base.command ?? []),
  };
}

/** A profile with what the command line says over it. */
export function applyProfile(profile: DevProfile, typed: DevProfile): DevOptions {
  return { ...nothing, ...profile, ...typed, ...joined(profile, typed) };
}
