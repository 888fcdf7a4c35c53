"""Looks into a wheel and a source distribution: python packages.py WHEEL FOLDER_OF_SDIST SECRET_PATH..."""

from __future__ import annotations

import sys
import tarfile
import zipfile
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "python" / "petasus"


def wheel_faults(wheel: Path, paths: list[bytes]) -> list[str]:
    """What is wrong with a wheel; `paths` must not be in any of its files."""
    faults = []
    if "-cp310-abi3-" not in wheel.name:
        faults.append(f"{wheel.name} is not for all of CPython from 3.10 on")
    with zipfile.ZipFile(wheel) as archive:
        there = {name for name in archive.namelist() if name.startswith("petasus/")}
        wanted = {
            f"petasus/{path.relative_to(PACKAGE).as_posix()}"
            for path in PACKAGE.rglob("*")
            if path.suffix in (".py", ".pyi") or path.name == "py.typed"
        }
        wanted.add("petasus/_petasus.abi3.so")
        faults += [f"{name} is missing" for name in sorted(wanted - there)]
        faults += [f"{name} is not wanted" for name in sorted(there - wanted)]
        for name in archive.namelist():
            content = archive.read(name)
            faults += [f"{name} holds {path.decode()}" for path in paths if path in content]
        metadata = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        for line in archive.read(metadata).decode().split("\n\n")[0].splitlines():
            if line.startswith("Requires-Dist"):
                faults.append(f"it needs others: {line}")
        if not any("/licenses/LICENSE-MIT" in name for name in archive.namelist()):
            faults.append("its licence is missing")
    return faults


def sdist_faults(sdist: Path) -> list[str]:
    """What is wrong with a source distribution."""
    with tarfile.open(sdist) as archive:
        names = {"/".join(name.split("/")[1:]) for name in archive.getnames()}
    wanted = ["pyproject.toml", "Cargo.toml", "Cargo.lock", "client-py/src/lib.rs", "protocol/src/lib.rs"]
    faults = [f"{name} is missing" for name in [*wanted, "python/petasus/py.typed"] if name not in names]
    rooms = ("python/petasus/", "client-py/", "protocol/")
    left_out = ("client-py/tests/", "client-py/docs/", "client-py/examples/", "client-py/target/")
    unwanted = (".so", ".pyc", ".log")
    for name in sorted(names):
        if "/" in name and not name.startswith(rooms):
            faults.append(f"{name} is not wanted")
        if name.endswith(unwanted) or name.startswith(left_out) or ".venv" in name:
            faults.append(f"{name} is not wanted")
    return faults


def main() -> int:
    wheel, sdist = Path(sys.argv[1]), next(Path(sys.argv[2]).glob("*.tar.gz"))
    faults = wheel_faults(wheel, [path.encode() for path in sys.argv[3:]]) + sdist_faults(sdist)
    for fault in faults:
        print(f"packages.py: {fault}", file=sys.stderr)
    print(f"{wheel.name}: {wheel.stat().st_size} bytes; {sdist.name}: {sdist.stat().st_size} bytes")
    return bool(faults)


sys.exit(main())
