#!/usr/bin/env bash
# Builds the real image of the end-to-end tests: Debian 12 with Python, a compiler and a virtual environment that holds the real
# triton wheel, in four layers; the last one removes a deb and a pip package, so that a scanner which ignores whiteouts is seen.
# usage: build-image.sh WORK-FOLDER IMAGE
set -euo pipefail
work=$1
image=$2
base=$image-base
debs=python3,python3-yaml,python3-venv,gcc,make,libc6-dev,ca-certificates,nano
mkdir -p "$work/wheels"

if ! podman image exists "$base"; then
  [ -f "$work/root.tar" ] || {
    mmdebstrap --quiet --variant=minbase --include="$debs" bookworm "$work/root.tar.part"
    mv "$work/root.tar.part" "$work/root.tar"
  }
  container=$(buildah from scratch)
  buildah add --quiet "$container" "$work/root.tar" / >/dev/null
  buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    --cmd /bin/bash --label org.opencontainers.image.title=triton-dev "$container"
  buildah commit --quiet --rm "$container" "$base" >/dev/null
fi

pip download --quiet --no-deps --dest "$work/wheels" --only-binary :all: --python-version 3.11 --implementation cp \
  --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --platform any \
  triton==3.6.0 six==1.17.0 packaging==26.0 numpy==2.3.5

# Runs a command inside a container's root, with nothing of this host's environment.
inside() {
  local root=$1
  shift
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root chroot "$root" "$@"
}

container=$(buildah from "$base")
root=$(buildah mount "$container")
mkdir "$root/wheels"
cp "$work"/wheels/*.whl "$root/wheels/"
inside "$root" python3 -m venv /opt/triton
inside "$root" /opt/triton/bin/pip install --quiet --no-index --find-links /wheels --no-deps triton==3.6.0 six numpy
inside "$root" python3 -m venv --without-pip /opt/other
inside "$root" /opt/triton/bin/pip --python /opt/other/bin/python install --quiet --no-index --find-links /wheels packaging==26.0
rm -r "$root/wheels"
buildah umount "$container" >/dev/null
buildah config --created-by "RUN pip install triton==3.6.0" "$container"
buildah commit --quiet --rm "$container" "$image-venv" >/dev/null

container=$(buildah from "$image-venv")
root=$(buildah mount "$container")
mkdir -p "$root/workspace"
echo "export TRITON_HOME=/workspace" >"$root/etc/profile.d/triton.sh"
buildah umount "$container" >/dev/null
buildah config --env TRITON_HOME=/workspace --created-by "COPY triton.sh /etc/profile.d/" "$container"
buildah commit --quiet --rm "$container" "$image-env" >/dev/null

container=$(buildah from "$image-env")
root=$(buildah mount "$container")
inside "$root" dpkg --purge nano >/dev/null
inside "$root" /opt/triton/bin/pip uninstall --quiet --yes six
buildah umount "$container" >/dev/null
buildah config --created-by "RUN dpkg --purge nano && pip uninstall six" "$container"
buildah commit --quiet --rm "$container" "$image" >/dev/null
