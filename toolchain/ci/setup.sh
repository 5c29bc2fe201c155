#!/usr/bin/env bash
# Installs tcf for a CI job into FOLDER, and puts it on the PATH of the steps that follow. Which bytes it installs stands
# in release.sha256, in the commit that the job pinned; the release's own signature is verified as well.
#   setup.sh FOLDER      TCF_FROM: where the files of the release are, when not at GitHub
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
fail() { echo "::error title=tcf::$*" >&2; exit 2; }

line=$(grep -E '^[0-9a-f]{64}  tcf-[0-9][^ ]*-(linux-x64|linux-arm64|macos-arm64)\.(zst|gz)$' "$here/release.sha256" || true)
[ -n "$line" ] || fail "this commit pins no release of tcf; use a commit that a release was tagged at"
case $(uname -sm) in
  'Linux x86_64') platform=linux-x64 ;; 'Linux aarch64') platform=linux-arm64 ;; 'Darwin arm64') platform=macos-arm64 ;;
  *) fail "there is no executable of tcf for $(uname -sm)" ;;
esac
if command -v zstd >/dev/null; then end=zst; else end=gz; fi
read -r digest name < <(grep -F -- "-$platform.$end" <<<"$line") || fail "this commit pins no release for $platform"
version=${name#tcf-} version=${version%"-$platform.$end"}
from=${TCF_FROM:-https://github.com/triton-container-first/tcf/releases/download/v$version}

sh "$here/../install.sh" --prefix "$1" --version "$version" --from "$from" --sha256 "$digest"
# Its bytes are those that the commit names, so this tcf may be asked whether the workflow of the project signed them.
for file in SHA256SUMS SHA256SUMS.sigstore.json; do
  curl -fsSL --retry 2 -o "$1/$file" "$from/$file" || fail "cannot download $from/$file"
done
grep -qxF "$digest  $name" "$1/SHA256SUMS" || fail "SHA256SUMS of the release does not name $name as this commit does"
"$1/bin/tcf" verify-bundle --bundle "$1/SHA256SUMS.sigstore.json" --certificate-oidc-issuer https://token.actions.githubusercontent.com \
  --certificate-identity "https://github.com/triton-container-first/tcf/.github/workflows/release.yml@refs/tags/v$version" \
  "$1/SHA256SUMS" || fail "the release is not signed by the workflow of tcf"
[ -z "${GITHUB_PATH-}" ] || echo "$1/bin" >>"$GITHUB_PATH"
