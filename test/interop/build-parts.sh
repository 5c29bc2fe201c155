#!/usr/bin/env bash
# Builds the real peers from the Go module proxy at pinned versions into FOLDER/bin, each once; docker-registry and skopeo come from Debian.
# usage: build-parts.sh FOLDER
set -euo pipefail
folder=$1
mkdir -p "$folder/bin"
export GOTOOLCHAIN=auto

# NAME MODULE VERSION [PACKAGE BELOW THE MODULE] [go.sum LINE]
# A module of our own that requires the peer: `go install` asks for the list of all versions first, which the proxy does not have for each of them.
part() {
  local name=$1 module=$2 version=$3 package=${4:-} sum=${5:-}
  local binary=$folder/bin/$name
  if [ -x "$binary" ] && go version -m "$binary" | grep -qE "[[:space:]]$module[[:space:]]+$version([[:space:]]|$)"; then return; fi
  echo "building $name $version" >&2
  local build=$folder/build/$name
  rm -rf "$build"
  mkdir -p "$build"
  printf 'module peer\ngo 1.25\nrequire %s %s\n' "$module" "$version" >"$build/go.mod"
  # Where the checksum database does not know a module, its checksum stands here.
  if [ -n "$sum" ]; then
    printf '%s %s %s\n' "$module" "$version" "$sum" >"$build/go.sum"
    export GONOSUMDB=$module
  fi
  (cd "$build" && go build -mod=mod -o "$binary" "$module${package:+/$package}")
}

part cosign github.com/sigstore/cosign/v3 v3.0.6 cmd/cosign
part cosign2 github.com/sigstore/cosign/v2 v2.6.5 cmd/cosign
part fulcio github.com/sigstore/fulcio v1.8.5
part timestamp-server github.com/sigstore/timestamp-authority/v2 v2.0.5 cmd/timestamp-server
part rekor github.com/sigstore/rekor-tiles/v2 v2.2.1 cmd/rekor-server/posix
part tesseract github.com/transparency-dev/tesseract v0.1.1 cmd/tesseract/posix h1:KMyqb5/43noPwaBIuFxaWOnhtx360JRb1nEPqUVn1KQ=
part olareg github.com/olareg/olareg v0.1.2 cmd/olareg

if ! command -v docker-registry >/dev/null || ! command -v skopeo >/dev/null; then
  if [ "$(id -u)" != 0 ]; then
    echo "test:interop needs docker-registry and skopeo; install them, or run as root on Debian" >&2
    exit 2
  fi
  apt-get update -qq >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq docker-registry skopeo >/dev/null 2>&1
fi
