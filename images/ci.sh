#!/bin/bash
# The steps of images/github-workflow.yml, each a line that runs on any machine:  ci.sh setup|build|check|publish
set -euo pipefail
: "${IMAGE:=}" "${REGISTRY:=}" "${TAG:=}"
image=$REGISTRY/$IMAGE:$TAG
# Where the archives of Debian are: a runner of Ubuntu does not know. Hashes decide what is taken.
mirrors=(--mirror "debian=${DEBIAN_MIRROR:-}" --mirror "debian-security=${DEBIAN_SECURITY_MIRROR:-}")

setup() {
  # tcf by its hash: whoever answers at TCF_URL brings these bytes or none.
  curl --fail --silent --show-error --location --output "$RUNNER_TEMP/tcf.gz" "$TCF_URL"
  echo "$TCF_SHA256  $RUNNER_TEMP/tcf.gz" | sha256sum --check --quiet
  mkdir -p "$RUNNER_TEMP/bin"
  gunzip --stdout "$RUNNER_TEMP/tcf.gz" >"$RUNNER_TEMP/bin/tcf"
  chmod 755 "$RUNNER_TEMP/bin/tcf"
  echo "$RUNNER_TEMP/bin" >>"$GITHUB_PATH"
}

login() {
  export REGISTRY_AUTH_FILE=$RUNNER_TEMP/auth.json
  buildah login --username "$REGISTRY_USER" --password-stdin "${REGISTRY%%/*}" <<<"$REGISTRY_TOKEN"
}

# Scripts of packages run as root in the new system.
as_root() { sudo --preserve-env "$(command -v tcf)" "$@"; }

case ${1:-} in
setup) setup ;;
build)
  login
  # Keyless: image, SBOM and provenance are signed by the identity of this workflow.
  as_root build "$IMAGE" "${mirrors[@]}" --to "$image" --builder "$BUILDER"
  ;;
check)
  login
  as_root build "$IMAGE" "${mirrors[@]}" --check "$image" --instance sigstore --builder "$BUILDER"
  ;;
publish)
  login
  tcf gate "$image" --policy policies/triton-images.yaml --sarif "$RUNNER_TEMP/tcf.sarif" --summary "$GITHUB_STEP_SUMMARY"
  tcf copy "$image" "$REGISTRY/$IMAGE:latest"
  ;;
*)
  echo "ci.sh setup|build|check|publish" >&2
  exit 3
  ;;
esac
