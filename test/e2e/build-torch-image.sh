#!/usr/bin/env bash
# Builds an image for arm64 that holds an environment of uv with torch and triton, as a build in several stages copies it into the last one. The
# wheels of torch for that machine need no CUDA and no other 3 GB. One package is removed again, so that what needs it is left without.
# usage: build-torch-image.sh WORK-FOLDER IMAGE
set -euo pipefail
work=$1/torch
image=$2
mkdir -p "$work"
[ -x "$work/tool/bin/uv" ] || {
  python3 -m venv "$work/tool"
  "$work/tool/bin/pip" install --quiet uv==0.9.11
}
uv() { "$work/tool/bin/uv" --quiet --no-config --no-cache "$@"; }
rm -rf "$work/env"
uv venv --python /usr/bin/python3 "$work/env"
uv pip install --python "$work/env/bin/python" --python-platform aarch64-manylinux_2_28 --only-binary :all: \
  torch==2.9.1 triton==3.5.1 numpy==2.3.5 ruff==0.17.6
uv pip uninstall --python "$work/env/bin/python" networkx
container=$(buildah from scratch)
root=$(buildah mount "$container")
mkdir -p "$root/opt" "$root/etc"
cp -a "$work/env" "$root/opt/torch"
printf 'ID=debian\nVERSION_ID=12\n' >"$root/etc/os-release"
buildah umount "$container" >/dev/null
buildah config --arch arm64 --created-by "COPY --from=build /opt/torch /opt/torch" "$container"
buildah commit --quiet --rm "$container" "$image" >/dev/null
