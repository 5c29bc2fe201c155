#!/usr/bin/env bash
# Prints what a scan costs: peak memory of `tcf sbom`, the bytes it wrote to disk, and its time as a ratio to the physical limit (reading the
# image's layers and hashing them, once) measured in the same run.
# usage: bench/memory.sh IMAGE      (any IMAGE that tcf sbom takes; an oci: layout gives the fairest limit)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
image=${1:?usage: bench/memory.sh IMAGE}
node=node_modules/.bin/node
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

TMPDIR=$scratch /usr/bin/time -f '%M %e' -o "$scratch/time" "$node" src/main.ts sbom "$image" -o "$scratch/bom.json"
read -r rss seconds <"$scratch/time"
echo "peak memory   $((rss / 1024)) MiB"
echo "left on disk  $(du -sk --exclude=time --exclude=bom.json "$scratch" | cut -f1) KiB (without the SBOM itself)"
echo "SBOM          $(stat -c %s "$scratch/bom.json") bytes"

case $image in
  oci:*)
    folder=${image#oci:}
    folder=${folder%%:*}
    begin=$(date +%s.%N)
    for blob in "$folder"/blobs/sha256/*; do
      if gzip -t "$blob" 2>/dev/null; then gzip -dc "$blob" | sha256sum >/dev/null; else sha256sum <"$blob" >/dev/null; fi
    done
    limit=$(echo "$(date +%s.%N) - $begin" | bc)
    echo "time          ${seconds} s, $(echo "scale=2; $seconds / $limit" | bc) times gunzip and sha256sum of all layers ($limit s)"
    ;;
  *) echo "time          ${seconds} s" ;;
esac
