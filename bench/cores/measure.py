"""Measures gzip -dc and tcf on the layout of layout.py, with 1 to 16 layers at a time.

usage: measure.py NODE TCF_JS      TCF_JS is the built program (npm run build): dist/tcf.js
"""

import glob
import os
import subprocess
import sys
import time


def measure(name, command):
    begun = time.time()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall, cpu = time.time() - begun, used.ru_utime + used.ru_stime
    code = os.waitstatus_to_exitcode(status)
    print(f"{name:28} wall {wall:6.2f}  cpu {cpu:6.2f}  peak {used.ru_maxrss >> 10:4d} MiB  exit {code}", flush=True)


node, tcf = sys.argv[1:3]
blobs = sorted(glob.glob("/tmp/big/blobs/sha256/*"), key=os.path.getsize)[2:]
measure("gzip -dc, one after another", ["bash", "-c", 'for f; do gzip -dc <"$f"; done >/dev/null', "x", *blobs])
for jobs in ("16", "8", "4", "2", "1"):
    output = f"/tmp/sbom-{jobs}.json"
    measure(f"tcf --jobs {jobs}", [node, tcf, "sbom", "oci:/tmp/big", "-o", output, "--jobs", jobs])
print(subprocess.run("sha256sum /tmp/sbom-*.json", shell=True, capture_output=True, text=True).stdout)
