"""What rpm itself says of a database, as JSON: its packages, which of them satisfy each dependency, and who would miss whom.

usage: rpm-truth.py DBPATH ROOT
Works through rpm's own library: `rpm -q --whatprovides` compares no versions, this does, with rpm's own comparison.
"""
import json
import os
import re
import sys

import rpm

rpm.addMacro("_dbpath", sys.argv[1])
rpm.addMacro("_db_backend", "sqlite")
# Links on the way to a file are those of the root.
os.chroot(sys.argv[2])


def name_of(header):
    epoch = header["epoch"] or 0
    version = f"{header['version']}-{header['release']}"
    return f"{header['name']} {f'{epoch}:' if epoch else ''}{version} {header['arch']}"


def is_package(header):
    return header["name"] != "gpg-pubkey"


def provides(header, need):
    for provided in header.dsFromHeader("providename"):
        if provided.N() == need.N() and provided.Compare(need):
            return True
    return False


def key_of(header):
    # The same order in which rpm shows one: of the header alone, then of header and payload.
    for tag in ("DSAHEADER", "RSAHEADER", "SIGGPG", "SIGPGP"):
        found = re.search(r"Key ID ([0-9a-f]{16})", header.sprintf("%{" + tag + ":pgpsig}") if header[tag] else "")
        if found:
            return found[1]
    return ""


query = rpm.TransactionSet()
packages = [header for header in query.dbMatch() if is_package(header)]
needs = []
for header in packages:
    for need in header.dsFromHeader("requirename"):
        flags = need.Flags()
        if flags & (rpm.RPMSENSE_RPMLIB | rpm.RPMSENSE_MISSINGOK):
            continue
        found = [each for each in query.dbMatch("providename", need.N()) if provides(each, need)]
        if need.N().startswith("/"):
            found += list(query.dbMatch("basenames", need.N()))
        needs.append({
            "from": name_of(header),
            "need": need.DNEVR()[2:],
            "rich": need.IsRich(),
            "by": sorted({name_of(each) for each in found}),
        })

# Taking a package out breaks exactly those whose dependency nobody else satisfies; rpm evaluates boolean ones too.
by_nevra = {f"{each['nevra']}": name_of(each) for each in packages}
missed = []
for header in packages:
    erase = rpm.TransactionSet()
    erase.addErase(header)
    erase.check()
    for problem in erase.problems() or []:
        missed.append({"from": by_nevra[problem.altNEVR], "to": name_of(header)})
json.dump({
    "packages": sorted(name_of(each) for each in packages),
    "keys": {name_of(each): key_of(each) for each in packages},
    "needs": needs,
    "missed": missed,
}, sys.stdout)
