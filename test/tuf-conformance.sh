#!/usr/bin/env bash
# Runs theupdateframework/tuf-conformance against src/attest/tuf: `npm run test:tuf -- DIR`, where DIR is a checkout of it. Wants python3 with
# venv, faketime, and the package index, from which the suite's own requirements are installed into a temporary folder.
set -euo pipefail
suite=$(cd "${1:?name a checkout of theupdateframework/tuf-conformance}" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet 'securesystemslib[crypto]==1.4.0' tuf==7.0.0 pytest==9.1.1 pytest-json-report==1.5.0
printf '#!/bin/sh\nexec %q %q "$@"\n' "$here/../node_modules/.bin/node" "$here/tuf-client.ts" >"$work/client"
chmod +x "$work/client"
cp "$here/tuf-conformance.xfails" "$work/client.xfails"
cd "$suite"
"$work/env/bin/pytest" tuf_conformance --entrypoint "$work/client" -q -p no:cacheprovider "${@:2}"
