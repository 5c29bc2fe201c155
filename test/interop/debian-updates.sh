#!/usr/bin/env bash
# Two roots of Debian without any update, the indexes of main and security, and what apt itself would upgrade.
# Usage: debian-updates.sh FOLDER. The mirror is the one of this machine's apt.
set -euo pipefail
folder=$1
mkdir -p "$folder"
cd "$folder"
targets=$(apt-get indextargets --format '$(REPO_URI) $(LABEL)' 'Created-By: Packages' 'Component: main' | sort -u)
main=$(awk '$2 == "Debian" { print $1; exit }' <<<"$targets")
security=$(awk '$2 == "Debian-Security" { print $1; exit }' <<<"$targets")
[ -n "$main" ] && [ -n "$security" ] || { echo "apt of this machine has no mirror of Debian and its security updates" >&2; exit 2; }
for release in bookworm trixie; do
  [ -f "$release.done" ] && continue
  rm -rf "root-$release" "lists-$release"
  mmdebstrap --quiet --variant=apt --include=curl,openssl,libxml2,git,linux-libc-dev \
    "$release" "root-$release" "deb [trusted=yes] $main $release main"
  tar -C "root-$release" --exclude=./var/lib/apt/lists --exclude=./dev -cf "layer-$release.tar" .
  echo "deb [trusted=yes] $security $release-security main" >"root-$release/etc/apt/sources.list.d/security.list"
  chroot "root-$release" apt-get update >/dev/null
  LC_ALL=C chroot "root-$release" apt list --upgradable 2>/dev/null >"upgradable-$release"
  mkdir "lists-$release"
  cp "root-$release"/var/lib/apt/lists/*_Packages* "root-$release"/var/lib/apt/lists/*Release "lists-$release/"
  rm -rf "root-$release"
  touch "$release.done"
done
