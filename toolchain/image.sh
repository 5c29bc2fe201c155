#!/usr/bin/env bash
# Makes the container image of tcf for this machine's architecture, on Debian: an executable (npm run release) and the
# packages that Node needs, as distroless images have them (files, and what dpkg says of each in status.d): no shell and
# no package manager. Node brings its own root certificates.
#   image.sh EXECUTABLE LAYOUT[:TAG]
# The same executable and the same versions of packages give the same bytes, wherever and whenever it runs.
set -euo pipefail
executable=$(realpath "$1") layout=$(realpath -m "${2%%:*}") tag=${2#*:}
[[ $2 == *:* ]] || tag=latest
packages=(base-files gcc-12-base libatomic1 libc6 libgcc-s1 libstdc++6)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$work/debs" "$root/var/lib/dpkg/status.d"
chmod 755 "$root"

# apt verifies what it downloads as it does for every installation.
(cd "$work/debs" && apt-get -q=2 -o APT::Sandbox::User=root download "${packages[@]}")
for deb in "$work"/debs/*.deb; do
  dpkg-deb --extract "$deb" "$root"
  name=$(dpkg-deb --field "$deb" Package)
  dpkg-deb --field "$deb" >"$root/var/lib/dpkg/status.d/$name"
  dpkg-deb --ctrl-tarfile "$deb" | tar -xO ./md5sums >"$root/var/lib/dpkg/status.d/$name.md5sums"
done

cd "$root"
find usr/share/doc -type f ! -name copyright -delete
find usr/share/doc -type d -empty -delete
rm -rf usr/share/{lintian,locale,gcc,bug} usr/lib/*/gconv etc/{update-motd.d,dpkg}
install -D -m 755 "$executable" usr/bin/tcf
printf 'root:x:0:0:root:/root:/usr/sbin/nologin\ntcf:x:65532:65532:tcf:/home/tcf:/usr/sbin/nologin\n' >etc/passwd
printf 'root:x:0:\ntcf:x:65532:\n' >etc/group
mkdir -p "$work/own/home/tcf" "$work/own/work"

arch=$(dpkg --print-architecture)
container=$(buildah from --arch "$arch" scratch)
trap 'buildah rm "$container" >/dev/null; rm -rf "$work"' EXIT
buildah add --quiet "$container" "$root" / >/dev/null
buildah add --quiet --chown 65532:65532 "$container" "$work/own/home/tcf" /home/tcf >/dev/null
buildah add --quiet --chown 65532:65532 "$container" "$work/own/work" /work >/dev/null
buildah config --os linux --arch "$arch" --user 65532:65532 --workingdir /work --entrypoint '["/usr/bin/tcf"]' --cmd '' \
  --env HOME=/home/tcf --label org.opencontainers.image.title=tcf \
  --label org.opencontainers.image.source=https://github.com/triton-container-first/tcf \
  --label org.opencontainers.image.licenses=Apache-2.0 "$container"
buildah commit --quiet --timestamp 0 --format oci "$container" "oci:$layout:$tag" >/dev/null
