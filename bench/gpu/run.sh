#!/usr/bin/env bash
# The walk of bench/gpu.md on a machine with an NVIDIA GPU and no network: an image built by tcf, signed in a registry on loopback, verified and started through CDI.
# usage: run.sh FOLDER   with image/ (layout), bom.json, provenance.json, tcf/ (bundle), node, launch.py, check.py. REHEARSE=1: podman as it is here, and no GPU.
set -u
from=$(realpath "$1")
work=${WORK:-/opt/tcf-gpu}
mkdir -p "$work/out" && cd "$work" && chmod 1777 out
export COSIGN_PASSWORD=gpu HOME=$work
tcf() { "$from/node" "$from/tcf/tcf.js" "$@"; }
step() { printf '\n=== %s (%s s)\n' "$1" "$SECONDS"; }
host=127.0.0.1:${PORT:-5000}
printf 'version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: %s/reg}}\nhttp: {addr: "%s"}\n' "$work" "$host" >reg.yml
docker-registry serve reg.yml >reg.log 2>&1 &
registry=$!
trap 'kill $registry' EXIT
sleep 2
image=$host/triton/kernel:1
gpu=(--device nvidia.com/gpu=all --security-opt label=disable)
program=(python3 /launch.py /out)
torch=${TORCH:-/opt/torch/.venv/bin/python}
if [ -n "${REHEARSE:-}" ]; then
  gpu=(--runtime /usr/sbin/runc)
  program=(selftest.py compile)
  torch=true
fi
run() { timeout 120 "$from/node" "$from/tcf/tcf.js" run --policy p.yaml --allow-http "$@"; }
tcf --version
tcf keygen --output-key-prefix builder
cat >p.yaml <<P
version: 1
trust: { logs: { key: 0 } }
signers: { builder: { keyFile: builder.pub } }
scopes:
  - match: $host
    require:
      signed: { by: [builder] }
      sbom: { by: [builder] }
      provenance: { by: [builder], buildType: "urn:tcf:build:1" }
      llvm: { is: pinned }
P
step 'push'
tcf copy "oci:$from/image:kernel" "$image" --allow-http
step 'unsigned: does not start'
run --rm "${gpu[@]}" "$image" true; echo "exit code $?"
step 'sign'
tcf sign "$image" --key builder.key --allow-http --sbom "$from/bom.json" --attest "slsaprovenance1=$from/provenance.json"
step 'first start, with the pull'
begin=$(date +%s.%N)
run --name first "${gpu[@]}" -e TRITON_CACHE_DIR=/home/dev/.triton/cache -v "$from/launch.py:/launch.py:ro" -v "$work/out:/out" "$image" "${program[@]}"; echo "exit code $?"
echo "seconds: $(python3 -c "import time;print(time.time()-$begin)")"
$torch "$from/check.py" out; echo "torch: exit code $?"
step 'again: read-only root, any uid, no network'
rm -f out/*.npy
begin=$(date +%s.%N)
run --rm "${gpu[@]}" --read-only --network none --user 4242 -e HOME=/tmp -v "$from/launch.py:/launch.py:ro" -v "$work/out:/out" "$image" "${program[@]}"; echo "exit code $?"
echo "seconds: $(python3 -c "import time;print(time.time()-$begin)")"
$torch "$from/check.py" out; echo "torch: exit code $?"
step 'by a profile with --device cuda'
rm -f out/*.npy
mkdir -p .config/tcf
printf 'version: 1\nprofiles:\n  gpu:\n    extends: dev\n    image: %s\n    mounts: ["%s:/g:ro", "%s/out:/out"]\n' "$image" "$from" "$work" >.config/tcf/profiles.yaml
run --dry-run gpu --device cuda python3 /g/launch.py /out
run gpu --device cuda python3 /g/launch.py /out; echo "exit code $?"
$torch "$from/check.py" out; echo "torch: exit code $?"
step 'the cache of kernels that it left, by tcf sbom'
podman commit -q first localhost/after:1 && podman save -q --format oci-archive -o after.tar localhost/after:1
tcf sbom oci-archive:after.tar -o after.json; python3 - <<'P'
import json
for c in json.load(open("after.json"))["components"]:
    if "kernel" in json.dumps(c.get("properties", [])).lower() or "triton:kernel" in json.dumps(c):
        print(c["type"], c["name"], c.get("version"), [(p["name"], p["value"][:80]) for p in c.get("properties", []) if "kernel" in p["name"]][:6])
P
step 'altered after signing: another configuration under the same tag'
python3 - "$from/image" "$work/altered" <<'P'
import hashlib, json, pathlib, shutil, sys
old, new = map(pathlib.Path, sys.argv[1:])
shutil.copytree(old, new)
blobs = new / "blobs/sha256"
index = json.loads((new / "index.json").read_text())
entry = index["manifests"][0]
manifest = json.loads((blobs / entry["digest"][7:]).read_text())
config = json.loads((blobs / manifest["config"]["digest"][7:]).read_text())
config["config"]["User"] = "0"
def put(value):
    data = json.dumps(value).encode()
    digest = hashlib.sha256(data).hexdigest()
    (blobs / digest).write_bytes(data)
    return {"digest": f"sha256:{digest}", "size": len(data)}
manifest["config"].update(put(config))
entry.update(put(manifest))
(new / "index.json").write_text(json.dumps(index))
P
tcf copy "oci:$work/altered:kernel" "$image" --allow-http >/dev/null
run --rm "${gpu[@]}" "$image" true; echo "exit code $?"
step 'altered in the registry: one byte of a layer'
tcf copy "oci:$from/image:kernel" "$image" --allow-http >/dev/null
podman rm -f first >/dev/null; podman rmi -f localhost/after:1 $(podman images -q "$host/triton/kernel") >/dev/null 2>&1
layer=$(python3 -c "
import json,pathlib
b=pathlib.Path('$from/image/blobs/sha256'); i=json.loads(pathlib.Path('$from/image/index.json').read_text())
print(max(json.loads((b/i['manifests'][0]['digest'][7:]).read_text())['layers'], key=lambda layer: layer['size'])['digest'][7:])")
python3 - "$work/reg/docker/registry/v2/blobs/sha256/${layer:0:2}/$layer/data" <<'P'
import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(5000); byte = f.read(1); f.seek(5000); f.write(bytes([byte[0] ^ 1]))
P
run --rm "${gpu[@]}" "$image" true; echo "exit code $?"
step 'what was decided'
tcf log show --last 8
step 'end'
