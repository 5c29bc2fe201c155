import { askedWrongly } from '../base/error.ts';
import { quoted } from '../base/text.ts';

/** A command line of `tcf run`, taken apart: ours, the engine's, the image and what runs in it. */
export interface RunArguments {
  readonly own: Readonly<Record<string, readonly string[]>>;
  /** Flags for the engine, as typed. */
  readonly engineFlags: readonly string[];
  /** Absent only where `--help` asks for no image. */
  readonly image?: string;
  readonly command: readonly string[];
}

/** tcf's own flags of `tcf run`; `true`: the flag takes a value. */
export type OwnFlags = Readonly<Record<string, boolean>>;

// Where the image stands can only be told if it is known which flags take a value: an unknown flag could swallow the image, and the next
// word would start in its place, unverified. So both lists are closed. From `podman run --help` 4.3 to 5 and `docker run --help` 28.
const switches = words(`
  detach disable-content-trust env-host http-proxy init interactive no-healthcheck no-hostname no-hosts oom-kill-disable passwd
  privileged publish-all quiet read-only read-only-tmpfs replace rm rmi sig-proxy tls-verify tty unsetenv-all use-api-socket`);
const valued = words(`
  add-host annotation attach authfile blkio-weight blkio-weight-device cap-add cap-drop cgroup-conf cgroup-parent cgroupns
  cgroups chrootdirs cidfile conmon-pidfile cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares cpus cpuset-cpus cpuset-mems
  decryption-key detach-keys device device-cgroup-rule device-read-bps device-read-iops device-write-bps device-write-iops dns
  dns-option dns-search domainname entrypoint env env-file env-merge expose gidmap gpus group-add group-entry health-cmd
  health-interval health-log-destination health-max-log-count health-max-log-size health-on-failure health-retries
  health-start-interval health-start-period health-startup-cmd health-startup-interval health-startup-retries health-startup-success
  health-startup-timeout health-timeout hostname hosts-file hostuser image-volume init-ctr init-path ip ip6 ipc isolation kernel-memory
  label label-file link link-local-ip log-driver log-opt mac-address memory memory-reservation memory-swap memory-swappiness mount name
  net network network-alias oom-score-adj passwd-entry personality pid pidfile pids-limit platform pod pod-id-file preserve-fd preserve-fds
  publish requires restart retry retry-delay runtime sdnotify seccomp-policy secret security-opt shm-size shm-size-systemd stop-signal
  stop-timeout storage-opt subgidname subuidname sysctl systemd timeout tmpfs tz uidmap ulimit umask unsetenv user userns uts variant
  volume volume-driver volumes-from workdir`);
const shortSwitches: ReadonlySet<string> = new Set('diPqt');
const shortValued: ReadonlySet<string> = new Set('acehlmpuvw');

/** Flags that would start something other than the image that was verified. */
const refused: Readonly<Record<string, string>> = {
  rootfs: 'a root file system on disk has no signature; run an image',
  pull: 'tcf decides what is pulled: exactly the digest that was verified',
  arch: 'write --platform os/architecture',
  os: 'write --platform os/architecture',
  variant: 'write --platform os/architecture/variant',
};

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}

/**
 * What `podman exec` and `docker exec` take beside a container. `-l`, a label for `run`, means "the latest container" there, and `--cidfile` reads another name.
 */
export const execFlags: ReadonlySet<string> = words(`
  detach detach-keys env env-file interactive preserve-fd preserve-fds privileged tty user workdir d e i t u w`);

/**
 * Takes the arguments after `tcf run` apart, with the flags of podman and docker.
 *
 * @param only the flags of the engine that are taken, where not all of them are.
 * @throws TcfError `run.flag` or `run.no-image` (exit 3).
 */
export function parseRunArguments(
  argv: readonly string[],
  ownFlags: OwnFlags,
  only?: ReadonlySet<string>,
): RunArguments {
  const own: Record<string, string[]> = {};
  const engineFlags: string[] = [];
  let at = 0;
  const value = (flag: string): string => {
    at += 1;
    const next = argv[at];
    if (next === undefined) throw askedWrongly('run.flag', `${flag} needs a value`);
    return next;
  };

  for (; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    if (word === '--') {
      at += 1;
      break;
    }
    if (!word.startsWith('-') || word === '-') break;
    if (!word.startsWith('--')) {
      engineFlags.push(word);
      if (shortTakesNext(word, only)) engineFlags.push(value(word));
      continue;
    }
    const equals = word.indexOf('=');
    const name = word.slice(2, equals < 0 ? undefined : equals);
    const inline = equals < 0 ? undefined : word.slice(equals + 1);
    if (Object.hasOwn(ownFlags, name)) {
      if (!ownFlags[name] && inline !== undefined) throw askedWrongly('run.flag', `--${name} takes no value`);
      const given = ownFlags[name] ? (inline ?? value(word)) : 'true';
      own[name] = [...(own[name] ?? []), given];
      continue;
    }
    checkEngineFlag(name, only);
    engineFlags.push(word);
    const argument = valued.has(name) ? (inline ?? value(word)) : undefined;
    if (argument !== undefined && inline === undefined) engineFlags.push(argument);
    if (name === 'mount' && argument !== undefined) checkMount(argument);
  }

  const [image, ...command] = argv.slice(at);
  if (image === undefined && own['help'] === undefined) {
    throw askedWrongly('run.no-image', 'tcf run needs an image', {
      hint: 'tcf run [flags] IMAGE [COMMAND...]',
    });
  }
  return { own, engineFlags, ...(image === undefined ? {} : { image }), command };
}

function checkEngineFlag(name: string, only: ReadonlySet<string> | undefined): void {
  const why = Object.hasOwn(refused, name) ? refused[name] : undefined;
  if (why !== undefined) throw askedWrongly('run.flag', `tcf run does not take --${name}`, { hint: why });
  if (only !== undefined && !only.has(name))
    throw askedWrongly('run.flag', `${quoted(`--${name}`)} has no place here`);
  if (switches.has(name) || valued.has(name)) return;
  throw askedWrongly('run.flag', `tcf run does not know the flag ${quoted(`--${name}`)}`, {
    hint: 'flags that tcf does not know could hide the image; the known ones are those of podman run and docker run',
  });
}

/**
 * An image or artifact mounted as a volume is content that nothing has verified (A-118). The engines read the argument as a CSV record, so quotes
 * are taken out before looking.
 *
 * @throws TcfError `run.flag` (exit 3).
 */
export function checkMount(argument: string): void {
  if (/(?:^|,)\s*type\s*=\s*(?:image|artifact)\b/i.test(argument.replaceAll('"', ''))) {
    throw askedWrongly('run.flag', 'tcf run does not take --mount type=image', {
      hint: 'the mounted image would not be verified; copy what you need into the image that is',
    });
  }
}

/** `-it` has no value, `-v a:b` has one in the next word, `-va:b` and `-eNAME` carry it with them. */
function shortTakesNext(word: string, only: ReadonlySet<string> | undefined): boolean {
  for (let index = 1; index < word.length; index += 1) {
    const letter = word[index] ?? '';
    if (only !== undefined && !only.has(letter))
      throw askedWrongly('run.flag', `${quoted(`-${letter}`)} has no place here`);
    if (shortValued.has(letter)) return index === word.length - 1;
    if (!shortSwitches.has(letter)) {
      throw askedWrongly('run.flag', `tcf run does not know the flag ${quoted(`-${letter}`)}`);
    }
  }
  return false;
}
