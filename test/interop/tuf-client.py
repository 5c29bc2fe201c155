"""The reference client of TUF: brings `folder` up to date and prints the trusted root."""
import sys
from tuf.ngclient import Updater

mirror, root, folder = sys.argv[1:4]
with open(root, "rb") as file:
    bootstrap = file.read()
updater = Updater(
    metadata_dir=folder,
    metadata_base_url=f"{mirror}/",
    target_base_url=f"{mirror}/targets/",
    target_dir=folder,
    bootstrap=bootstrap,
)
updater.refresh()
target = updater.get_targetinfo("trusted_root.json")
if target is None:
    sys.exit("no such target")
with open(updater.download_target(target), encoding="utf-8") as file:
    sys.stdout.write(file.read())
