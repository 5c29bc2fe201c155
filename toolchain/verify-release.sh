#!/usr/bin/env bash
# Verifies the files of a release in FOLDER: each checksum, who signed them, and what is attested about each file.
#   verify-release.sh FOLDER VERSION [options of tcf verify-bundle]      TCF: the tcf that verifies (one that you trust)
set -euo pipefail
folder=$1 version=$2
shift 2
tcf=${TCF:-tcf}
cd "$folder"
signed_by_release=(
  --certificate-identity "https://github.com/triton-container-first/tcf/.github/workflows/release.yml@refs/tags/v$version"
  --certificate-oidc-issuer https://token.actions.githubusercontent.com
)
"$tcf" verify-bundle --bundle SHA256SUMS.sigstore.json "${signed_by_release[@]}" "$@" SHA256SUMS
sha256sum --check --strict --quiet SHA256SUMS
while read -r digest name; do
  for about in provenance sbom vsa; do
    [ "$about" != vsa ] || [ -z "${TCF_NO_VSA-}" ] || continue
    "$tcf" verify-bundle --bundle "tcf-$version.$about.sigstore.json" "${signed_by_release[@]}" "$@" "sha256:$digest" ||
      { echo "verify-release: $about says nothing of $name" >&2; exit 1; }
  done
done <SHA256SUMS
echo "tcf $version: every file is signed, and attested by the release workflow"
