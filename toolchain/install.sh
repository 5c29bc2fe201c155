#!/bin/sh
# Installs the executable of a release of tcf as PREFIX/bin/tcf. It runs as its caller and never asks for root.
#   sh install.sh [--prefix DIR] [--version VERSION] [--from URL] [--sha256 HEX]
# The file is checked against --sha256, which you have from a place that you trust, or against SHA256SUMS of the
# release. Who signed SHA256SUMS is checked by cosign, or by the tcf that is replaced; the last line says what was
# checked. The new tcf is never asked about itself.
set -eu
fail() { echo "install: error: $*" >&2; exit 2; }
get() { # FILE of the release, into the work folder
  if command -v curl >/dev/null; then curl -fsSL -o "$work/$1" "$from/$1"; else wget -qO "$work/$1" "$from/$1"; fi ||
    fail "cannot download $from/$1"
}
signed_by() { # a program that verifies
  get SHA256SUMS.sigstore.json
  "$@" --bundle "$work/SHA256SUMS.sigstore.json" --certificate-oidc-issuer https://token.actions.githubusercontent.com \
    --certificate-identity "$project/.github/workflows/release.yml@refs/tags/v$version" "$work/SHA256SUMS" >&2 ||
    fail "SHA256SUMS is not signed by the release workflow of tcf; nothing was installed"
  signed="signed by the release workflow of $project (asked: $1)"
}
main() {
  prefix=$HOME/.local version=VERSION_OF_RELEASE from='' want='' signed='who made it was not checked'
  while [ $# -gt 0 ]; do
    case $1 in
      --prefix) prefix=${2-} ;; --version) version=${2-} ;; --from) from=${2-} ;; --sha256) want=${2-} ;;
      *) fail "unknown option $1; the first lines of this script say what there is" ;;
    esac
    [ -n "${2-}" ] || fail "$1 needs a value"
    shift 2
  done
  case $(uname -sm) in
    'Linux x86_64') platform=linux-x64 ;; 'Linux aarch64') platform=linux-arm64 ;; 'Darwin arm64') platform=macos-arm64 ;;
    *) fail "there is no executable for $(uname -sm); npm installs the package of the release anywhere" ;;
  esac
  project=https://github.com/triton-container-first/tcf target=$prefix/bin/tcf
  from=${from:-$project/releases/download/v$version}
  if [ -L "$target" ] || [ -e "$target" ]; then
    { [ -f "$target" ] && [ ! -L "$target" ] && grep -qa 'Triton Container First: SBOM' "$target"; } ||
      fail "$target is not an executable of tcf; move it away"
  fi
  if command -v zstd >/dev/null; then unpack=zstd name=tcf-$version-$platform.zst; else unpack=gzip name=tcf-$version-$platform.gz; fi
  { mkdir -p "$prefix/bin" && work=$(mktemp -d "$prefix/bin/.tcf-install.XXXXXX"); } || fail "cannot write to $prefix/bin"
  trap 'rm -rf "$work"' EXIT && trap 'exit 130' HUP INT TERM
  get "$name"
  if [ -z "$want" ]; then
    get SHA256SUMS
    if command -v cosign >/dev/null; then signed_by cosign verify-blob; elif [ -f "$target" ]; then signed_by "$target" verify-bundle; fi
    want=$(awk -v name="$name" '$2 == name { print $1 }' "$work/SHA256SUMS")
  fi
  have=$(if command -v sha256sum >/dev/null; then sha256sum "$work/$name"; else shasum -a 256 "$work/$name"; fi | cut -c1-64)
  [ "$have" = "$want" ] || fail "$name has the SHA-256 $have, expected was ${want:-one in SHA256SUMS}; nothing was installed"
  $unpack -dc <"$work/$name" >"$work/tcf" && chmod 755 "$work/tcf"
  "$work/tcf" --version >/dev/null || fail "the executable does not run on this machine; nothing was installed"
  mv -f "$work/tcf" "$target"
  echo "installed tcf $version as $target: the SHA-256 is right, $signed"
}
main "$@"
