#!/usr/bin/env bash
# Builds containerd 2.1 with its own go.mod into the folder given, once: Debian 12 has 1.6, which has no image verifiers.
set -euo pipefail
version=2.1.4 to=$1
[ -x "$to/containerd" ] && exit 0
export GOTOOLCHAIN=local CGO_ENABLED=0
source=$(mktemp -d)
trap 'rm -rf "$source"' EXIT
module=$(cd "$source" && go mod download -json "github.com/containerd/containerd/v2@v$version" | sed -n 's/.*"Dir": "\(.*\)",*/\1/p')
cp -r "$module/." "$source/"
chmod -R u+w "$source"
mkdir -p "$to"
cd "$source"
nice -n 15 go build -mod=mod -o "$to/" ./cmd/ctr ./cmd/containerd ./cmd/containerd-shim-runc-v2
