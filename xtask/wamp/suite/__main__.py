"""Runs the cases against a router that is already there: one JSON line for each.

    python -m suite --ws ws://127.0.0.1:8080/ws [--tcp HOST:PORT] [--unix PATH] [--mercury http://...]
                    [--realm realm1] [--petasus] [--list] [PATTERN...]

A PATTERN is a shell pattern on the full name (`ws.json/rpc.result`, `*/auth.*`) or a part of it.
"""

import argparse
import asyncio
import fnmatch
import json
import logging
import sys
import time

from . import cases, registry
from .world import Ends, World

_ = cases  # importing it registers the cases


def arguments():
    parser = argparse.ArgumentParser(prog="suite", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ws", help="URL of the WebSocket")
    parser.add_argument("--tcp", help="HOST:PORT of rawsocket")
    parser.add_argument("--unix", help="path of rawsocket")
    parser.add_argument("--longpoll", help="base URL of HTTP long-poll")
    parser.add_argument("--mercury", help="base URL of Mercury's dialect, for the bridge")
    parser.add_argument("--realm", default="realm1")
    parser.add_argument("--petasus", action="store_true", help="also the cases that only Petasus can pass")
    parser.add_argument("--short", action="append", default=[], metavar="PATTERN", help="known to hang: do not wait long")
    parser.add_argument("--list", action="store_true", help="only the names")
    parser.add_argument("patterns", nargs="*", metavar="PATTERN")
    return parser.parse_args()


def wanted(name: str, patterns: list[str]) -> bool:
    return not patterns or any(fnmatch.fnmatch(name, p) or p in name for p in patterns)


async def main(given) -> int:
    # A future that a dead connection leaves behind is not a verdict.
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    ends = Ends(given.ws, given.tcp, given.unix, given.longpoll, given.mercury, given.realm)
    failed = 0
    for name, one, transport, serializer in registry.runs():
        if not wanted(name, given.patterns) or (one.petasus and not given.petasus):
            continue
        hangs = any(fnmatch.fnmatch(name, pattern) for pattern in given.short)
        patience = registry.SHORT if hangs else registry.PATIENCE
        begin = time.monotonic()
        try:
            verdict, detail = await registry.judge(one, World(ends, transport, serializer), patience)
        except registry.Skipped as why:
            verdict, detail = "skip", str(why)
        failed += verdict == "fail"
        line = {"case": name, "ok": verdict == "pass", "detail": detail, "ms": round(1000 * (time.monotonic() - begin))}
        if verdict == "skip":
            line["skip"] = True
        print(json.dumps(line, ensure_ascii=False), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    given = arguments()
    if given.list:
        print("\n".join(name for name, *_ in registry.runs() if wanted(name, given.patterns)))
        sys.exit(0)
    if not given.ws:
        sys.exit("suite: --ws URL is missing")
    logging.disable(logging.CRITICAL)
    sys.exit(asyncio.run(main(given)))
