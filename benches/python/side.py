"""One process of a measurement: `python side.py CONTESTANT publish|receive|both URL SECONDS PROGRESS [VARIANT]`.

PROGRESS is a pipe to which a receiver writes a byte for every so many messages, or -1.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import sys

from load import Load


def main() -> None:
    name, direction, url, seconds, progress, *variant = sys.argv[1:]
    contestant = importlib.import_module(f"contestants.{name}")
    load = Load(float(seconds), int(progress))
    act = getattr(contestant, direction)
    if inspect.iscoroutinefunction(act):
        asyncio.run(act(url, load, *variant))
    else:
        act(url, load, *variant)
    load.report()


if __name__ == "__main__":
    main()
