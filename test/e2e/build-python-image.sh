#!/usr/bin/env bash
# Builds an image with a virtual environment made by pip and one made by uv, with packages whose requirements have markers and extras, and the real
# triton, hard-linked from uv's cache, which stays in the image.
# usage: build-python-image.sh WORK-FOLDER IMAGE BASE
set -euo pipefail
work=$1
image=$2
base=$3
wheels=$work/python-wheels
pip=(rich==14.2.0 'httpx[http2]==0.28.1' jinja2==3.1.6 ruamel.yaml==0.18.16)
uv=(triton==3.6.0 selenium==4.38.0 pytest-cov==7.0.0 jinja2==3.1.6)
mkdir -p "$wheels"

platforms=()
for platform in manylinux_2_{28,27,17,5}_x86_64 manylinux2014_x86_64 manylinux1_x86_64 any; do platforms+=(--platform "$platform"); done
pip download --quiet --dest "$wheels" --only-binary :all: --python-version 3.11 --implementation cp "${platforms[@]}" \
  --find-links "$work/wheels" uv==0.9.11 "${pip[@]}" "${uv[@]}"

container=$(buildah from "$base")
root=$(buildah mount "$container")
inside() {
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root UV_LINK_MODE=hardlink chroot "$root" "$@"
}
mkdir "$root/wheels"
cp "$wheels"/*.whl "$root/wheels/"
from=(--no-index --find-links /wheels)
inside python3 -m venv /opt/pip
inside /opt/pip/bin/pip install --quiet "${from[@]}" "${pip[@]}"
inside python3 -m venv /opt/tools
inside /opt/tools/bin/pip install --quiet "${from[@]}" uv
inside /opt/tools/bin/uv venv --quiet --python /usr/bin/python3 /opt/uv
inside /opt/tools/bin/uv pip install --quiet --python /opt/uv/bin/python "${from[@]}" "${uv[@]}"
rm -r "$root/wheels"
buildah umount "$container" >/dev/null
buildah config --created-by "RUN uv pip install triton==3.6.0" "$container"
buildah commit --quiet --rm "$container" "$image" >/dev/null
