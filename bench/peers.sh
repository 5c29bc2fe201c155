#!/usr/bin/env bash
# Builds the pinned peers, and what judges SBOMs, from the Go module proxy into /var/tmp/tcf-peers/bin, once. The first build takes a quarter of an hour on two cores.
set -euo pipefail
syft=v1.51.0
trivy=v0.74.0
# The newest that the Go module proxy has.
sbomqs=v2.0.2
folder=/var/tmp/tcf-peers
mkdir -p "$folder/bin" "$folder/trivy" "$folder/sbomqs"
export GOTOOLCHAIN=auto GOBIN=$folder/bin

has() { [ -x "$folder/bin/$1" ] && go version -m "$folder/bin/$1" | grep -qE "$2"; }

has syft "mod[[:space:]]+github.com/anchore/syft[[:space:]]+$syft" || go install "github.com/anchore/syft/cmd/syft@$syft"
# `go install` asks for the list of versions, which some proxies refuse for trivy; a module that requires it does not. It needs encoding/json/v2.
if ! has trivy "dep[[:space:]]+github.com/aquasecurity/trivy[[:space:]]+$trivy"; then
  printf 'module peers\ngo 1.26.3\nrequire github.com/aquasecurity/trivy %s\n' "$trivy" >"$folder/trivy/go.mod"
  (cd "$folder/trivy" && GOEXPERIMENT=jsonv2 go build -mod=mod -o "$folder/bin/trivy" github.com/aquasecurity/trivy/cmd/trivy)
fi
if ! has sbomqs "mod[[:space:]]+github.com/interlynk-io/sbomqs/v2[[:space:]]+$sbomqs"; then
  printf 'module scorer\ngo 1.25\nrequire github.com/interlynk-io/sbomqs/v2 %s\n' "$sbomqs" >"$folder/sbomqs/go.mod"
  (cd "$folder/sbomqs" && go build -mod=mod -o "$folder/bin/sbomqs" github.com/interlynk-io/sbomqs/v2)
fi
