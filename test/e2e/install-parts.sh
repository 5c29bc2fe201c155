#!/usr/bin/env bash
# Installs the real parts that the end-to-end tests drive, quietly, on Debian and as root.
set -euo pipefail
parts=(podman buildah skopeo umoci runc docker-registry mmdebstrap jq time curl iproute2 libxml2-utils busybox-static python3-apt rpm python3-rpm dnf createrepo-c gnupg qemu-utils e2fsprogs uidmap docker.io containerd)
missing=()
for part in "${parts[@]}"; do
  dpkg-query -W -f '${db:Status-Abbrev}' "$part" 2>/dev/null | grep -q '^ii' || missing+=("$part")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "test:e2e needs ${missing[*]}; install them, or run as root on Debian" >&2
  exit 2
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq >/dev/null
apt-get install -y -qq "${missing[@]}" >/dev/null 2>&1
