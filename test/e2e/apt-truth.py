"""What apt itself says of the root of a Debian system, as JSON: its packages, and which of them satisfy each dependency.

usage: apt-truth.py ROOT
"""
import json
import sys
import urllib.parse

import apt_pkg

apt_pkg.init_config()
root = sys.argv[1]
apt_pkg.config.set("Dir", root)
apt_pkg.config.set("Dir::State::status", f"{root}/var/lib/dpkg/status")
# Nothing is written into the root, and only what is installed counts.
apt_pkg.config.set("Dir::Cache::pkgcache", "")
apt_pkg.config.set("Dir::Cache::srcpkgcache", "")
apt_pkg.config.set("Dir::State::lists", "/nonexistent")
apt_pkg.config.set("Dir::Etc::sourcelist", "/dev/null")
apt_pkg.config.set("Dir::Etc::sourceparts", "/dev/null")
apt_pkg.init_system()
cache = apt_pkg.Cache(None)
depends = apt_pkg.DepCache(cache)


def name_of(version):
    # Those for all architectures stand in the cache under the native one.
    return f"{version.parent_pkg.name} {version.ver_str} {version.arch}"


installed = [package.current_ver for package in cache.packages if package.current_ver]
needs = []
for version in installed:
    for kind in ("PreDepends", "Depends"):
        for group in version.depends_list.get(kind, []):
            # The first alternative that is there, as dpkg and apt try them.
            by = set()
            for alternative in group:
                by = {name_of(each) for each in alternative.all_targets() if each.parent_pkg.current_ver == each}
                if by:
                    break
            needs.append({
                "from": name_of(version),
                "need": " | ".join(str(each.target_pkg.name) for each in group),
                "by": sorted(by),
            })
automatic = sorted(name_of(each) for each in installed if depends.is_auto_installed(each.parent_pkg))
packages = sorted(map(name_of, installed))

# Once more with what apt last fetched: checksum and addresses of each archive.
apt_pkg.config.set("Dir::State::lists", f"{root}/var/lib/apt/lists")
apt_pkg.config.set("Dir::Etc::sourcelist", f"{root}/etc/apt/sources.list")
cache = apt_pkg.Cache(None)
records = apt_pkg.PackageRecords(cache)
sources = apt_pkg.SourceList()
sources.read_main_list()
archives = {}
for package in cache.packages:
    for file, place in package.current_ver.file_list if package.current_ver else []:
        index = sources.find_index(file)
        if index and records.lookup((file, place)):
            sha256 = next((each for each in map(str, records.hashes) if each.startswith("SHA256:")), "SHA256:")
            # One archive may lie in several repositories.
            archive = archives.setdefault(name_of(package.current_ver), {"sha256": sha256[7:], "urls": []})
            archive["urls"].append(urllib.parse.unquote(index.archive_uri(records.filename)))
json.dump({"packages": packages, "needs": needs, "automatic": automatic, "archives": archives}, sys.stdout)
