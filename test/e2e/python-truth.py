"""What pip says of an environment, as JSON: its distributions, who needs whom by the requirement graph of `pip inspect`, and who needs what is
not there.

usage: python-truth.py PYTHON [MACHINE]      (PYTHON is an interpreter of the environment; runs with one that has pip)
MACHINE stands in place of the machine that PYTHON runs on, for an environment that was made for another one.
Markers are evaluated by pip's own copy of packaging, in the environment that `pip inspect` reports. An extra counts where an installed
distribution asks for it.
"""
import json
import subprocess
import sys

from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name

report = json.loads(
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", sys.argv[1], "inspect"],
        check=True,
        capture_output=True,
    ).stdout
)
environment = report["environment"]
if len(sys.argv) > 2:
    environment["platform_machine"] = sys.argv[2]
installed = {canonicalize_name(each["metadata"]["name"]): each["metadata"] for each in report["installed"]}
asked = {name: {""} for name in installed}
edges = set()
missing = set()
todo = [(name, "") for name in installed]
for name, extra in todo:
    for text in installed[name].get("requires_dist", []):
        requirement = Requirement(text)
        target = canonicalize_name(requirement.name)
        if requirement.marker and not requirement.marker.evaluate({**environment, "extra": extra}):
            continue
        if target not in installed:
            missing.add((name, target))
            continue
        if target != name:
            edges.add((name, target))
        for wanted in map(canonicalize_name, requirement.extras):
            if wanted not in asked[target]:
                asked[target].add(wanted)
                todo.append((target, wanted))
print(
    json.dumps(
        {
            "packages": sorted(f"{name} {metadata['version']}" for name, metadata in installed.items()),
            "edges": sorted(f"{one} -> {other}" for one, other in edges),
            "missing": sorted(f"{one} -> {other}" for one, other in missing),
        }
    )
)
