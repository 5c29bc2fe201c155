#!/bin/bash
# Seconds from `tcf up IMAGE` to the first kernel that passes (Triton's interpreter against numpy, on the CPU), for an image that
# `tcf build IMAGE --key FILE` gave to podman here and that the user's policy allows:  first-kernel.sh [IMAGE] [ROUNDS]
set -euo pipefail
image=${1:-cpu} rounds=${2:-3}
tcf=${TCF:-tcf}
now() { date +%s.%N; }
for _ in $(seq "$rounds"); do
  $tcf down "$image" >/dev/null 2>&1 || true
  begin=$(now)
  $tcf up --quiet "$image"
  ready=$(now)
  $tcf exec "$image" selftest.py interpret 2>/dev/null | grep --quiet 'softmax equal True'
  end=$(now)
  awk -v a="$begin" -v b="$ready" -v c="$end" 'BEGIN { printf "ready %.1f s, first kernels %.1f s\n", b - a, c - a }'
done
$tcf down "$image" >/dev/null 2>&1
uptime
