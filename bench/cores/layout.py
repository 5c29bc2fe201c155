"""Makes an OCI layout of 16 layers in /tmp/big out of what a machine has: its Python environment and /usr.

usage: layout.py SITE_PACKAGES      needs tar, gzip, sha256sum, and three times the size of what is packed
"""

import hashlib
import json
import os
import subprocess
import sys

OUT = "/tmp/big"
BLOBS = f"{OUT}/blobs/sha256"
LAYERS = 16


def size_of(path):
    return int(subprocess.run(["du", "-sxb", path], capture_output=True, text=True).stdout.split()[0])


def parts(site):
    """Folders small enough to be spread over layers."""
    split = {f"{site}/nvidia", "/usr/lib"}
    for base in [site, f"{site}/nvidia", "/usr/lib", "/usr"]:
        for name in sorted(os.listdir(base)):
            path = f"{base}/{name}"
            if path not in split | {"/usr/local"} and not os.path.islink(path):
                yield size_of(path), path.lstrip("/")


def spread(sized):
    """The largest first, each into the layer that is smallest so far."""
    layers = [[0, []] for _ in range(LAYERS)]
    for size, path in sorted(sized, reverse=True):
        smallest = min(layers, key=lambda layer: layer[0])
        smallest[0] += size
        smallest[1].append(path)
    layers[0][1] += ["etc", "var/lib/dpkg"]
    return [paths for _, paths in layers]


def pack(at, paths):
    with open(f"/tmp/list{at}", "w") as names:
        names.write("\n".join(paths) + "\n")
    script = f"""tar -C / --one-file-system -cf /tmp/l{at}.tar -T /tmp/list{at} 2>/dev/null
        sha256sum </tmp/l{at}.tar | cut -c1-64 >/tmp/diff{at}; stat -c %s /tmp/l{at}.tar >/tmp/size{at}
        gzip -1 -c /tmp/l{at}.tar >/tmp/l{at}.gz; rm /tmp/l{at}.tar; sha256sum </tmp/l{at}.gz | cut -c1-64 >/tmp/blob{at}"""
    return subprocess.Popen(["bash", "-c", script])


def read(path):
    with open(path) as file:
        return file.read().strip()


def put(media_type, document):
    content = json.dumps(document).encode()
    name = hashlib.sha256(content).hexdigest()
    with open(f"{BLOBS}/{name}", "wb") as file:
        file.write(content)
    return {"mediaType": media_type, "digest": f"sha256:{name}", "size": len(content)}


os.makedirs(BLOBS, exist_ok=True)
for process in [pack(at, paths) for at, paths in enumerate(spread(parts(sys.argv[1])))]:
    process.wait()
layers = []
for at in range(LAYERS):
    blob = read(f"/tmp/blob{at}")
    os.rename(f"/tmp/l{at}.gz", f"{BLOBS}/{blob}")
    size = os.path.getsize(f"{BLOBS}/{blob}")
    layers.append({"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": f"sha256:{blob}", "size": size})
rootfs = {"type": "layers", "diff_ids": [f"sha256:{read(f'/tmp/diff{at}')}" for at in range(LAYERS)]}
config = put(
    "application/vnd.oci.image.config.v1+json",
    {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs, "history": []},
)
manifest = put(
    "application/vnd.oci.image.manifest.v1+json",
    {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": layers},
)
with open(f"{OUT}/index.json", "w") as file:
    json.dump({"schemaVersion": 2, "manifests": [manifest]}, file)
with open(f"{OUT}/oci-layout", "w") as file:
    file.write('{"imageLayoutVersion":"1.0.0"}')
unpacked = [int(read(f"/tmp/size{at}")) >> 20 for at in range(LAYERS)]
print("unpacked MiB", sum(unpacked), "stored MiB", sum(layer["size"] for layer in layers) >> 20, "layers MiB", unpacked)
