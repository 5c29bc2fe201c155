import { compact } from '../../base/compact.ts';
import {
  type Judgement,
  judgeCapability,
  judgeDevice,
  judgeLabelFile,
  judgeLogDriver,
  judgeLogOption,
  judgeMount,
  judgeNamespace,
  judgeNetwork,
  judgeSecurityOption,
  judgeStorageOption,
  judgeVariable,
  judgeVolume,
} from './values.ts';

/**
 * What a flag of `podman run` or `docker run` does to the promise that nothing unverified starts.
 *
 * - `harmless`: changes how the verified image runs, and nothing else.
 * - `host`: names a program, a file or a power of the host. The user may say so, a project may not.
 * - `content`: brings in content that nothing has verified.
 * - `joins`: starts, joins or reads another container or pod.
 * - `decides`: changes what is verified, where it is looked up, or which engine is asked.
 */
export type FlagClass = 'content' | 'decides' | 'harmless' | 'host' | 'joins';

export interface RunFlag {
  /** Without the dashes. */
  readonly name: string;
  readonly letter?: string;
  readonly takesValue: boolean;
  /** The worst that some value of it does; `judge` says what a given value does. */
  readonly class: FlagClass;
  readonly why?: string;
  readonly judge?: (value: string) => Judgement;
}

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Whatever their value is. A letter stands behind a colon. */
const harmlessSwitches = words(`
  detach:d disable-content-trust help http-proxy init interactive:i no-healthcheck no-hostname no-hosts noout oom-kill-disable
  passwd publish-all:P quiet:q read-only read-only-tmpfs rm rmi sig-proxy syslog tls-verify tty:t unsetenv-all`);
const harmlessValues = words(`
  add-host attach:a blkio-weight blkio-weight-device cap-drop cgroup-conf cgroup-manager cgroup-parent cgroups chrootdirs
  cpu-count cpu-percent cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares:c cpus cpuset-cpus cpuset-mems detach-keys
  device-read-bps device-read-iops device-write-bps device-write-iops dns dns-opt dns-option dns-search domainname entrypoint
  env-merge events-backend expose gidmap gpus group-add group-entry health-cmd health-interval health-max-log-count
  health-max-log-size health-on-failure health-retries health-start-interval health-start-period health-startup-cmd
  health-startup-interval health-startup-retries health-startup-success health-startup-timeout health-timeout hostname:h
  hostuser image-volume io-maxbandwidth io-maxiops ip ip6 isolation kernel-memory label:l link-local-ip log-level mac-address
  memory:m memory-reservation memory-swap memory-swappiness name net-alias network-alias oom-score-adj passwd-entry personality
  pids-limit publish:p rdt-class restart retry retry-delay sdnotify shm-size shm-size-systemd stop-signal stop-timeout
  subgidname subuidname sysctl systemd timeout tmpfs tz uidmap ulimit umask unsetenv user:u workdir:w`);

type Row = readonly [flag: string, why: string, judge?: (value: string) => Judgement];

const hostSwitches: readonly Row[] = [
  ['env-host', 'all variables of the host go into the container, secrets among them'],
  ['privileged', 'the container has the devices and powers of the host'],
  ['replace', 'it removes another container of that name'],
  ['use-api-socket', 'the socket of the engine is the whole host'],
];
const hostValues: readonly Row[] = [
  ['annotation', 'runtimes take annotations for settings, files of the host among them'],
  ['authfile', 'it names a file of the host'],
  ['cap-add', 'such a capability reaches out of the container', judgeCapability],
  ['cert-dir', 'it names a folder of the host'],
  ['cidfile', 'it writes a file of the host'],
  ['conmon-pidfile', 'it writes a file of the host'],
  ['creds', 'it carries a password'],
  ['decryption-key', 'it names a file of the host'],
  ['device', 'it gives a device of the host', judgeDevice],
  ['device-cgroup-rule', 'it opens devices of the host, disks among them'],
  ['env:e', 'it takes a variable of the host', judgeVariable],
  ['env-file', 'it reads a file of the host, and takes the variables that stand there by their names alone'],
  ['health-log-destination', 'it writes a file of the host'],
  ['hosts-file', 'it reads a file of the host'],
  ['init-path', 'it names a program of the host'],
  ['label-file', 'it reads a file of the host', judgeLabelFile],
  ['log-driver', 'a plugin of the engine takes what the container says', judgeLogDriver],
  ['log-opt', 'it writes a file of the host, or connects to a server', judgeLogOption],
  ['pidfile', 'it writes a file of the host'],
  ['preserve-fd', 'open files of the host go into the container'],
  ['preserve-fds', 'open files of the host go into the container'],
  ['runtime', 'it names the program that starts the container'],
  ['seccomp-policy', 'the image chooses its own filter of system calls'],
  ['secret', 'a secret of the user goes into the container'],
  ['security-opt', 'it switches off what keeps the container in', judgeSecurityOption],
  ['volume-driver', 'a plugin of the engine brings the volume'],
];

/**
 * Namespaces, networks and mounts are all of it: harmless, a power of the host, another container, or
 * content.
 */
const valuesThatDecide: readonly (readonly [string, FlagClass, string, (value: string) => Judgement])[] = [
  ['cgroupns', 'joins', 'it may join another container', judgeNamespace('cgroup')],
  ['ipc', 'joins', 'it may join another container', judgeNamespace('ipc')],
  ['net', 'joins', 'it may join another container', judgeNetwork],
  ['network', 'joins', 'it may join another container', judgeNetwork],
  ['pid', 'joins', 'it may join another container', judgeNamespace('pid')],
  ['userns', 'joins', 'it may join another container', judgeNamespace('user')],
  ['uts', 'joins', 'it may join another container', judgeNamespace('uts')],
  ['mount', 'content', 'it may mount an image', judgeMount],
  ['storage-opt', 'decides', 'it may be another store', judgeStorageOption],
  ['volume:v', 'host', 'it may mount a place of the host', judgeVolume],
];

const joiningValues: readonly Row[] = [
  ['infra-name', 'a pod starts a container of its own'],
  ['init-ctr', 'it is a container for a pod, and starting a pod starts what else is in it'],
  ['link', 'it names another container, which nothing has verified'],
  ['pod', 'a pod starts a container of its own, and what else is in it'],
  ['pod-id-file', 'a pod starts a container of its own, and what else is in it'],
  ['requires', 'the engine starts the other container first, and nothing has verified it'],
  ['volumes-from', 'the content of another container comes along, and nothing has verified it'],
];

const platformHint = 'write --platform os/architecture[/variant]';
const storeHint = 'tcf pulls and compares in the store and with the engine that are usual';
const decidingValues: readonly Row[] = [
  ['arch', platformHint],
  ['os', platformHint],
  ['variant', platformHint],
  ['platform', 'tcf verifies the image of one platform: name it to tcf'],
  ['pull', 'tcf decides what is pulled: exactly the digest that was verified'],
  ['signature-policy', 'tcf asks its own policies'],
  ['hooks-dir', 'other hooks than those of the machine would be asked'],
  ['runtime-flag', 'it changes what the runtime does with the verified image'],
  ...words(`cdi-spec-dir config connection conmon context cpu-profile db-backend default-mounts-file host identity imagestore
    max-workers memory-profile module namespace network-backend network-cmd-path network-config-dir out pull-option
    registries-conf root runroot ssh storage-driver tls-ca tls-cert tls-details tls-key tlscacert tlscert tlskey tmpdir url
    volumepath`).map((name) => [name, storeHint] as const),
];
const decidingSwitches: readonly Row[] = [
  ['rootfs', 'a root file system on disk has no signature; run an image'],
  ['permissive', 'tcf does not know what it does'],
  ...words('debug remote tls tlsverify trace transient-store version').map(
    (name) => [name, storeHint] as const,
  ),
];

function toFlag(flag: string, rest: Omit<RunFlag, 'letter' | 'name'>): RunFlag {
  const [name = flag, letter] = flag.split(':');
  return compact({ name, letter, ...rest });
}

const toFlags = (rows: readonly Row[], takesValue: boolean, kind: FlagClass): readonly RunFlag[] =>
  rows.map(([flag, why, judge]) => toFlag(flag, compact({ takesValue, class: kind, why, judge })));

/**
 * Every flag of `podman run` and `podman create` 4.3 to 5.8 with podman's global flags, which stand behind
 * the verb as well, and of `docker run` and `docker create` 20.10 to 29, from their source, help and man
 * pages. A flag that is not in it is refused.
 */
export const runFlagTable: readonly RunFlag[] = [
  ...harmlessSwitches.map((flag) => toFlag(flag, { takesValue: false, class: 'harmless' })),
  ...harmlessValues.map((flag) => toFlag(flag, { takesValue: true, class: 'harmless' })),
  ...toFlags(hostSwitches, false, 'host'),
  ...toFlags(hostValues, true, 'host'),
  ...valuesThatDecide.map(([flag, kind, why, judge]) =>
    toFlag(flag, { takesValue: true, class: kind, why, judge }),
  ),
  ...toFlags(joiningValues, true, 'joins'),
  ...toFlags(decidingValues, true, 'decides'),
  ...toFlags(decidingSwitches, false, 'decides'),
];

const byName: ReadonlyMap<string, RunFlag> = new Map(runFlagTable.map((flag) => [flag.name, flag]));
const byLetter: ReadonlyMap<string, RunFlag> = new Map(
  runFlagTable.flatMap((flag) => (flag.letter === undefined ? [] : [[flag.letter, flag] as const])),
);

export const findRunFlag = (name: string): RunFlag | undefined => byName.get(name);
export const findRunLetter = (letter: string): RunFlag | undefined => byLetter.get(letter);

/** What a flag does with a given value; `''` for a switch. */
export function judgeFlag(flag: RunFlag, value: string): Judgement & { readonly class: FlagClass } {
  return flag.judge?.(value) ?? compact({ class: flag.class, why: flag.why });
}
