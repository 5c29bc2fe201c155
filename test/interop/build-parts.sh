#!/usr/bin/env bash
# Builds the real peers from the Go module proxy at pinned versions into FOLDER/bin, each once, and lays the schemas that they publish into
# FOLDER/schemas; registry, podman and skopeo come from Debian.
# usage: build-parts.sh FOLDER
set -euo pipefail
folder=$(realpath -m "$1")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$folder/bin"
export GOTOOLCHAIN=auto

# NAME MODULE VERSION: whether this very version stands there
is_built() {
  [ -x "$folder/bin/$1" ] && go version -m "$folder/bin/$1" | grep -qE "[[:space:]]$2[[:space:]]+$3([[:space:]]|$)"
}

# What a peer replaces in its own module does not reach ours.
declare -A replaced=(
  [zot]='replace zotregistry.io/zot => github.com/project-zot/zot v1.4.3'
  [kyverno]='replace k8s.io/pod-security-admission => github.com/kyverno/pod-security-admission v0.0.0-20251031094455-46f20778634f'
)

# NAME MODULE VERSION: an empty module that requires the peer. `go install` asks for the list of all versions first, which the proxy does not have
# for each of them.
new_module() {
  echo "building $1 $3" >&2
  rm -rf "$folder/build/$1"
  mkdir -p "$folder/build/$1"
  printf 'module peer\ngo 1.25\nrequire %s %s\n%s\n' "$2" "$3" "${replaced[$1]:-}" >"$folder/build/$1/go.mod"
}

# NAME MODULE VERSION [PACKAGE BELOW THE MODULE] [go.sum LINE]
part() {
  local name=$1 module=$2 version=$3 package=${4:-} sum=${5:-}
  if is_built "$name" "$module" "$version"; then return; fi
  new_module "$name" "$module" "$version"
  cd "$folder/build/$name"
  # Where the checksum database does not know a module, its checksum stands here.
  if [ -n "$sum" ]; then
    printf '%s %s %s\n' "$module" "$version" "$sum" >go.sum
    export GONOSUMDB=$module
  fi
  go build -mod=mod -o "$folder/bin/$name" "$module${package:+/$package}"
}

# NAME MODULE VERSION [TAGS]: NAME.go beside this file, on the library of a peer
program() {
  local name=$1 module=$2 version=$3 tags=${4:-}
  if is_built "$name" "$module" "$version" && [ "$folder/bin/$name" -nt "$here/$name.go" ]; then return; fi
  new_module "$name" "$module" "$version"
  cp "$here/$name.go" "$folder/build/$name"
  cd "$folder/build/$name"
  go build -mod=mod -tags "$tags" -o "$folder/bin/$name" "$name.go"
}

# NAME MODULE VERSION FILE: a file of the module, as FOLDER/schemas/NAME
schema() {
  local name=$1 module=$2 version=$3 file=$4
  local module_folder
  module_folder=$(go mod download -json "$module@$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p') || {
    echo "$module $version cannot be downloaded" >&2
    exit 1
  }
  install -D -m 644 "$module_folder/$file" "$folder/schemas/$name"
}

part cosign github.com/sigstore/cosign/v3 v3.0.6 cmd/cosign
part cosign2 github.com/sigstore/cosign/v2 v2.6.5 cmd/cosign
part fulcio github.com/sigstore/fulcio v1.8.5
part timestamp-server github.com/sigstore/timestamp-authority/v2 v2.0.5 cmd/timestamp-server
part rekor github.com/sigstore/rekor-tiles/v2 v2.2.1 cmd/rekor-server/posix
part tesseract github.com/transparency-dev/tesseract v0.1.1 cmd/tesseract/posix h1:KMyqb5/43noPwaBIuFxaWOnhtx360JRb1nEPqUVn1KQ=
part olareg github.com/olareg/olareg v0.1.2 cmd/olareg
# The newest that the proxy has; its successors are modules of a host that the proxy does not ask.
GOFLAGS=-tags=containers_image_openpgp part zot zotregistry.io/zot v1.4.3 cmd/zot
part versitygw github.com/versity/versitygw v1.8.0 cmd/versitygw
part policy-tester github.com/sigstore/policy-controller v0.13.1 cmd/tester
part kyverno github.com/kyverno/kyverno v1.19.1 cmd/cli/kubectl-kyverno
program tuf-initialize github.com/sigstore/sigstore v1.9.4
program make-estargz github.com/containerd/stargz-snapshotter/estargz v0.18.2
program containers-copy go.podman.io/image/v5 v5.42.1 containers_image_openpgp
# CRI-O itself is a module that the proxy does not have; this is the library that the go.mod of its 1.37 names.
program crio-check go.podman.io/image/v5 v5.38.0 containers_image_openpgp

schema cluster-image-policy.yaml github.com/sigstore/policy-controller v0.13.1 config/300-clusterimagepolicy.yaml
schema image-validating-policy.yaml github.com/kyverno/kyverno v1.19.1 config/crds/policies.kyverno.io/policies.kyverno.io_imagevalidatingpolicies.yaml
schema kyverno.yaml github.com/kyverno/kyverno v1.19.1 config/crds/kyverno/kyverno.io_clusterpolicies.yaml

debian=(docker-registry podman skopeo)
if ! type "${debian[@]}" >/dev/null 2>&1; then
  if [ "$(id -u)" != 0 ]; then
    echo "test:interop needs ${debian[*]}; install them, or run as root on Debian" >&2
    exit 2
  fi
  apt-get update -qq >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${debian[@]}" >/dev/null 2>&1
fi
