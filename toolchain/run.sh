#!/usr/bin/env bash
# Runs a script on the pinned Node, after installing what the lock file names if that has not been done yet.
# A fresh clone on a host with an older Node works this way, and `npm test` is a first command like any other.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
want=26.10.0
node=$root/node_modules/.bin/node
stamp=$root/node_modules/.tcf-lock

# npm drops an optional package silently when its hash or platform is wrong, so the version is asked, not assumed.
runs_pinned() { [ "$("$node" --version 2>/dev/null)" = "v$want" ]; }

if ! cmp -s package-lock.json "$stamp" || ! runs_pinned; then
  echo "tcf: installing the pinned Node $want and the packages of package-lock.json" >&2
  npm ci --ignore-scripts --workspace toolchain --loglevel=error >/dev/null
  if ! runs_pinned; then
    echo "tcf: error: the pinned Node $want does not run on $(uname -sm)" >&2
    echo "tcf: hint: supported are Linux x64 and arm64 and macOS arm64; elsewhere use the published package" >&2
    exit 2
  fi
  PATH="$root/node_modules/.bin:$PATH" npm ci --ignore-scripts --engine-strict --loglevel=error >/dev/null
  cp package-lock.json "$stamp"
fi

cd "${INIT_CWD:-$root}"
case "${1:-}" in
  node_modules/* | src/* | test/* | bench/* | toolchain/*)
    script=$root/$1
    shift
    # Only the product follows the caller's folder; the project's own tools work on the project.
    [[ $script == "$root"/src/main.ts ]] || cd "$root"
    exec env PATH="$root/node_modules/.bin:$PATH" "$node" "$script" "$@"
    ;;
  *) exec "$node" "$@" ;;
esac
