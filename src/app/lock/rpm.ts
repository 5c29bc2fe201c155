import { join } from 'node:path';
import { cannotTell } from '../../base/error.ts';
import { jsonLimits, parseJson } from '../../base/json.ts';
import { Shape } from '../../base/shape.ts';
import { printable } from '../../base/text.ts';
import { makeFolder } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import { withScratchFolder } from '../../system/scratch.ts';
import type { Lock, LockedRpm, LockedRpms } from './lock.ts';
import { type Mirrors, rpmRoot } from './mirrors.ts';

/** The Python of the system, which dnf 4 and its library belong to. */
const python = '/usr/bin/python3';
/** Metadata of CentOS has 60 MB for one architecture. */
const timeout = 30 * 60_000;
const answerLimit = 64 * 1024 * 1024;

export interface RpmRequest extends Pick<LockedRpms, 'release' | 'repositories'> {
  readonly mirrors: Mirrors;
  readonly platform: Lock['platform'];
  readonly want: readonly string[];
}

/**
 * The API of dnf 4 (https://dnf.readthedocs.io/en/latest/api.html): which packages the wanted ones need, into
 * an empty root, without weak dependencies; and for each the package on the shortest way from what was asked.
 */
const script = `
import json, sys, dnf
request = json.load(sys.stdin)
base = dnf.Base()
conf = base.conf
folder = request["folder"]
conf.installroot, conf.cachedir, conf.persistdir, conf.logdir = folder + "/root", folder + "/cache", folder + "/persist", folder
conf.install_weak_deps = False
conf.substitutions.update(arch=request["arch"], basearch=request["arch"], releasever=request["release"])
for repository in request["repositories"]:
    base.repos.add_new_repo(repository["id"], conf, baseurl=[repository["url"]])
base.fill_sack(load_system_repo=False)
for name in request["want"]:
    base.install(name)
base.resolve()
chosen = sorted(base.transaction.install_set)
sack = base.sack.query().filter(pkg=chosen)
wanted = {p.name for name in request["want"] for p in dnf.subject.Subject(name).get_best_query(base.sack).intersection(sack)}
reason, queue = {}, sorted(wanted)
for name in queue:
    for needed in (q.name for p in chosen if p.name == name for r in p.requires for q in sack.filter(provides=r)):
        if needed not in wanted and needed not in reason:
            reason[needed] = name
            queue.append(needed)
evr = lambda p: (f"{p.epoch}:" if p.epoch else "") + f"{p.version}-{p.release}"
print(json.dumps([{"name": p.name, "version": evr(p), "arch": p.arch, "sha256": p.chksum[1].hex(), "size": p.downloadsize,
    "path": p.relativepath, "from": p.reponame, "for": reason.get(p.name)} for p in chosen]))
`;

/**
 * Asks dnf which packages of rpm the wanted ones need today. Hashes are those of the metadata of the
 * repositories: CentOS signs packages and no metadata, so they are as true as the way to the mirror.
 *
 * @throws TcfError `lock.dnf`, `input.archive` (exit 2): there is no dnf 4, a repository that nobody named,
 *   or no way to install all of them.
 */
export async function resolveRpms(host: Host, request: RpmRequest): Promise<readonly LockedRpm[]> {
  const { mirrors, platform, release, repositories, want } = request;
  const named = repositories.map((id) => ({
    id,
    url: rpmRoot(mirrors, id).replace(/^\//, 'file:///'),
  }));
  return await withScratchFolder(async (folder) => {
    await makeFolder(host, join(folder, 'root'));
    const arch = platform === 'linux/amd64' ? 'x86_64' : 'aarch64';
    const input = Buffer.from(JSON.stringify({ folder, arch, release, want, repositories: named }));
    const ran = await host.program(python, ['-c', script], input, { timeout, output: answerLimit });
    if (ran.code !== 0) {
      throw cannotTell('lock.dnf', `dnf chose no packages: ${printable(ran.stderr.trim(), 2000)}`, {
        hint: 'check the names under want.rpm and the repositories; dnf 4 and its library for Python are needed (Debian: apt install dnf)',
      });
    }
    const what = 'the answer of dnf';
    const limits = { ...jsonLimits.document, maxBytes: answerLimit };
    return new Shape(parseJson(ran.stdout, what, limits), what).list(20_000).map(toRpm);
  });
}

/** What is not as a lock has it is refused when the new lock is read again. */
function toRpm(each: Shape): LockedRpm {
  const text = (key: string): string => each.get(key).string(1000);
  const why = each.get('for');
  return {
    ...{ name: text('name'), version: text('version'), arch: text('arch'), sha256: text('sha256') },
    ...{ size: each.get('size').whole(), path: text('path'), from: text('from') },
    ...(why.value === null ? {} : { for: why.string(1000) }),
  };
}
