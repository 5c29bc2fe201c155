import { quoted } from '../../base/text.ts';

/** What one value of a flag does. The classes are those of `FlagClass`. */
export interface Judgement {
  readonly class: 'content' | 'decides' | 'harmless' | 'host' | 'joins';
  readonly why?: string;
  /** The part of the value that does it, where that is not all of it. */
  readonly named?: string;
  /** A path of the host inside the project, which must not lead out of it through a link. */
  readonly inProject?: string;
}

const harmless: Judgement = { class: 'harmless' };
const host = (why: string): Judgement => ({ class: 'host', why });

/** The name of a volume or network: neither a path nor another container. */
const plainName = /^[A-Za-z0-9][\w.-]*$/;
// biome-ignore lint/suspicious/noTemplateCurlyInString: variables of devcontainer.json
const projectFolder = '${localWorkspaceFolder}';
/** Names a place whose text `faultsOf` and the project's path are held against. */
const placeVariables = /\$\{(?:(?:local|container)WorkspaceFolder(?:Basename)?|devcontainerId)\}/g;
/** Variables of devcontainer.json whose text neither the project nor a separator can shape. */
const nameVariables = /\$\{(?:localWorkspaceFolderBasename|devcontainerId)\}/g;
/** Caches of builds, which the developers of Triton share between checkouts and containers. */
const homeCaches = /^\$\{localEnv:HOME\}\/\.(?:triton|ccache|cache\/(?:ccache|pip|triton|uv))$/;

/** Namespaces by the words that podman and docker know for them; everything else joins or is refused. */
const ownNamespaces: Readonly<Record<string, RegExp>> = {
  cgroup: /^(?:private)?$/,
  // ROCm needs the host's shared memory.
  ipc: /^(?:private|shareable|none|host)?$/,
  pid: /^(?:private)?$/,
  user: /^(?:private|auto(?::[\w=,:-]*)?|keep-id(?::[\w=,]*)?|nomap)?$/,
  uts: /^(?:private)?$/,
};

/** `--pid`, `--ipc`, `--uts`, `--userns`, `--cgroupns`. */
export const judgeNamespace =
  (kind: string) =>
  (value: string): Judgement => {
    if (ownNamespaces[kind]?.test(value)) {
      return harmless;
    }
    if (value === 'host') {
      return host(`it is the ${kind} namespace of the host`);
    }
    if (/^ns:\//.test(value)) {
      return host('it joins a namespace of the host');
    }
    return {
      class: 'joins',
      why: `${quoted(value)} joins another container, and starts it where it does not run; nothing has verified it`,
    };
  };

/** `--network`. podman: `NAME[:OPTION=VALUE,...]`, docker: `NAME` or `name=NAME,OPTION=VALUE,...`. */
export function judgeNetwork(value: string): Judgement {
  const names = namesIn(value);
  const [name = ''] = names;
  const [mode = '', ...rest] = name.split(':');
  const options = rest.join(':');
  if (mode === 'host') {
    return host('it is the network of the host');
  }
  if (mode === 'ns') {
    return host('it joins a namespace of the host');
  }
  if (mode === 'slirp4netns' || mode === 'pasta') {
    return options === '' ? harmless : host(`${mode} takes files and addresses of the host`);
  }
  const isNetwork =
    names.length === 1 && (mode === '' || plainName.test(mode)) && mode !== 'container' && mode !== 'service';
  if (isNetwork && /^(?:(?:alias|interface_name|ip6?|mac|mode)=[\w.:-]*(?:,|$))*$/.test(options)) {
    return harmless;
  }
  return {
    class: 'joins',
    why: `${quoted(value)} joins another container, and starts it where it does not run; nothing has verified it`,
  };
}

/**
 * docker reads `name=NAME,alias=ALIAS` as a CSV record, of which the last name wins; without a `=` before any
 * colon the text is the name.
 */
function namesIn(value: string): readonly string[] {
  if (!/^[\w"\s-]+=/.test(value)) {
    return [value];
  }
  return value
    .replaceAll('"', '')
    .split(',')
    .map((field) => field.trim())
    .flatMap((field) => (/^name=/i.test(field) ? [field.slice('name='.length).trim()] : []));
}

/** What docker gives to every container, and what debuggers and profilers ask for. */
const openCapabilities: ReadonlySet<string> = new Set(
  `AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID IPC_LOCK KILL MKNOD NET_BIND_SERVICE NET_RAW PERFMON SETFCAP SETGID SETPCAP
  SETUID SYS_CHROOT SYS_NICE SYS_PTRACE`.split(/\s+/),
);

export function judgeCapability(value: string): Judgement {
  const names = value.split(',').map((name) => name.trim().toUpperCase().replace(/^CAP_/, ''));
  const far = names.find((name) => !openCapabilities.has(name));
  return far === undefined ? harmless : host(`the capability ${quoted(far)} reaches out of the container`);
}

/** A device by CDI, or a node of a GPU; disks, memory and all else are the host. */
export function judgeDevice(value: string): Judgement {
  if (/^[A-Za-z0-9][\w.-]*\/[A-Za-z][\w-]*=[\w.:-]+$/.test(value)) {
    return harmless;
  }
  const [from = '', to = from, permissions = 'rwm', more] = value.split(':');
  const isGpu =
    /^\/dev\/(?:kfd|fuse|dri(?:\/(?:card|renderD)\d+)?|nvidia(?:\d+|ctl|-uvm|-uvm-tools|-modeset)|dxg)$/.test(
      from,
    );
  const isPlain = to.startsWith('/') ? !to.includes('..') : /^[rwm]+$/.test(to);
  if (isGpu && isPlain && /^[rwm]+$/.test(permissions) && more === undefined) {
    return harmless;
  }
  return host(`it gives the device ${quoted(from)} of the host`);
}

/** Variables that say where and how somebody works, and are no secrets. */
const openVariables =
  /^(?:HOME|USERPROFILE|USER|USERNAME|LOGNAME|SHELL|HOSTNAME|PATH|LANG|LANGUAGE|LC_\w+|TZ|TERM|COLORTERM|NO_COLOR|DISPLAY|WAYLAND_DISPLAY|XDG_\w+|MAX_JOBS|CI|(?:TRITON|MLIR|LLVM)_\w+|(?:CUDA|HIP|ROCR)_VISIBLE_DEVICES)$/;

/** The variables of the host that a text of devcontainer.json takes in, but for those that are no secrets. */
export function hostVariables(text: string): readonly string[] {
  const names = [...text.matchAll(/\$\{(?:localEnv|env):([^:}]*)/g)].map(([, name = '']) => name);
  return [...new Set(names)].filter((name) => !openVariables.test(name));
}

/**
 * `--env NAME=VALUE`, or `--env NAME`, which takes the value from the host; podman reads `NAME*` as all that
 * begin so.
 */
export function judgeVariable(value: string): Judgement {
  return value.includes('=') || openVariables.test(value)
    ? harmless
    : host(`it takes the variable ${quoted(value)} of the host, which may be a secret`);
}

/** A file that lies in the project; another one may be a secret. */
export function judgeLabelFile(value: string): Judgement {
  const inside = insideProject(value);
  return inside === undefined ? host(`it reads the file ${quoted(value)} of the host`) : inside;
}

export function judgeLogDriver(value: string): Judgement {
  return /^(?:none|local|json-file|k8s-file|journald|passthrough|passthrough-tty)$/.test(value)
    ? harmless
    : host(`${quoted(value)} is a plugin, or connects to a server`);
}

export function judgeLogOption(value: string): Judgement {
  const key = value.split('=', 1)[0] ?? '';
  return /^(?:max-size|max-file|max-buffer-size|mode|compress|tag|labels|labels-regex|label|env|env-regex)$/.test(
    key,
  )
    ? harmless
    : host(`${quoted(key)} names a file or a server`);
}

export function judgeSecurityOption(value: string): Judgement {
  if (
    /^(?:label[=:]disable|seccomp[=:]unconfined|no-new-privileges(?:[=:]true)?|mask=[/\w:.-]+)$/.test(value)
  ) {
    return harmless;
  }
  return host(`${quoted(value)} switches off what keeps the container in, or names a file`);
}

/**
 * docker: a limit of the container. podman takes anything else for the storage driver, mount programs among
 * them.
 */
export function judgeStorageOption(value: string): Judgement {
  if (/^size=\d+[bkmgtBKMGT]?$/.test(value)) {
    return harmless;
  }
  return {
    class: 'decides',
    why: `${quoted(value)} would be another store than the one that tcf looks into`,
  };
}

/** Options of a mount that change neither what is mounted nor whose it is. */
const openOptions =
  /^(?:ro|rw|readonly|z|Z|U|chown|copy|nocopy|cached|delegated|consistent|noexec|nosuid|nodev|private|rprivate|exec|true|false)$/;

/** `--volume [SOURCE:]TARGET[:OPTIONS]`. */
export function judgeVolume(value: string): Judgement {
  const parts = splitOutsideVariables(value);
  if (parts.length === 1) {
    return isOpen(value) ? host(`a variable in ${quoted(value)} could name a place of the host`) : harmless;
  }
  const [source = '', target = '', options = ''] = parts;
  if (isOpen(target)) {
    return host(`a variable in ${quoted(target)} could make another mount of it`);
  }
  const odd = options.split(',').find((option) => option !== '' && !openOptions.test(option));
  if (parts.length > 3 || odd !== undefined) {
    return host(`the options ${quoted(odd ?? options)} of a mount can name places of the host`);
  }
  return judgeSource(source);
}

/** Whether a variable could put in what ends this part of a mount. */
const isOpen = (part: string): boolean => part.replaceAll(placeVariables, '').includes('${');

/** `a:b` at its colons, but for those in `${localEnv:HOME}`. */
export function splitOutsideVariables(value: string): readonly string[] {
  return value.split(/:(?![^{}]*\})/);
}

/**
 * Types that bring nothing along but a place of the host or a volume. An image or an artifact is content
 * (A-118).
 */
const mountTypes = /^(?:bind|devpts|ramfs|tmpfs|volume)$/;
const mountKeys =
  /^(?:type|source|src|target|destination|dst|consistency|readonly|ro|rw|tmpfs-size|tmpfs-mode|size|mode|relabel|U|Z|z|chown|volume-nocopy|tmpcopyup|notmpcopyup|noexec|nosuid|nodev)$/;

/** `KEY=VALUE,...`. The engines read it as a CSV record, so quotes are taken out before looking. */
export function mountFields(value: string): readonly (readonly [key: string, value: string])[] {
  return value
    .replaceAll('"', '')
    .split(',')
    .map((field) => {
      const equals = field.indexOf('=');
      return [
        field.slice(0, equals < 0 ? undefined : equals).trim(),
        equals < 0 ? '' : field.slice(equals + 1).trim(),
      ] as const;
    });
}

/** `--mount KEY=VALUE,...`. */
export function judgeMount(value: string): Judgement {
  const fields = mountFields(value);
  const types = fields.filter(([key]) => key.toLowerCase() === 'type').map(([, type]) => type);
  const odd = types.find((type) => !mountTypes.test(type.toLowerCase()) && type !== 'glob');
  if (odd !== undefined) {
    return {
      class: 'content',
      named: `type=${odd}`,
      why: `what is mounted would not be verified; copy what you need into the image that is`,
    };
  }
  const open = fields.find(([key, text]) => isOpenField(key, text));
  if (open !== undefined) {
    return host(`a variable in ${quoted(open.join('='))} could make another mount of it`);
  }
  const far = fields.find(([key]) => !mountKeys.test(key));
  if (far !== undefined) {
    return host(`the option ${quoted(far[0])} of a mount can name a place of the host`);
  }
  if (types.length > 1 || types.includes('glob')) {
    return host('it mounts several places of the host');
  }
  const sources = fields.filter(([key]) => key === 'source' || key === 'src').map(([, source]) => source);
  if (types[0] === 'tmpfs' || types[0] === 'ramfs' || types[0] === 'devpts') {
    return harmless;
  }
  const [source = '', ...more] = sources;
  if (more.length > 0) {
    return host('it has several sources');
  }
  // podman takes a path that is not absolute, from wherever the editor stands.
  return types[0]?.toLowerCase() === 'bind' && plainName.test(source)
    ? host(`it mounts ${quoted(source)} of the host`)
    : judgeSource(source);
}

/**
 * The devcontainer CLI puts variables in after we looked, and `${localEnv:NONE:any text}` puts in what the
 * project likes: so they may name a place of the machine or of the container, and nothing else.
 */
function isOpenField(key: string, value: string): boolean {
  const rest = value.replaceAll(
    /\$\{(?:(?:local|container)WorkspaceFolder(?:Basename)?|localEnv:\w+|devcontainerId)\}/g,
    '',
  );
  if (key.includes('${') || rest.includes('${')) {
    return true;
  }
  return rest !== value && !/^(?:source|src|target|dst|destination)$/i.test(key);
}

/**
 * Whether what a word names depends on the path of the project, in which a comma or a colon would end a part
 * of it.
 */
export const namesProject = (word: string): boolean => /\$\{(?:local|container)WorkspaceFolder/.test(word);

/** A volume, a place in the project, or a shared cache; everything else of the host is the user's to give. */
function judgeSource(source: string): Judgement {
  if (source === '' || plainName.test(source.replaceAll(nameVariables, 'x'))) {
    return harmless;
  }
  if (homeCaches.test(source)) {
    return harmless;
  }
  return insideProject(source) ?? host(`it mounts ${quoted(source)} of the host`);
}

function insideProject(path: string): Judgement | undefined {
  if (path !== projectFolder && !path.startsWith(`${projectFolder}/`)) {
    return undefined;
  }
  const below = path.slice(projectFolder.length + 1);
  if (below.includes('${') || below.split('/').includes('..')) {
    return undefined;
  }
  return { class: 'harmless', inProject: below };
}
