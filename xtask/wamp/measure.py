"""RPC round trips of Petasus, crossbar and fox-wamp in one run: same client, same loop.

    python measure.py --out FOLDER [--ws URL --pid PID (a running Petasus, release build)] [--rounds 5]
    python measure.py --out FOLDER [--ws URL#REALM] --load target/release/petasus-load [--seconds 2]

The routers take turns, round by round, so that a change of the machine's speed meets all of them. The table has
the medians of the rounds. The router's own CPU time a call is read from /proc: on a small machine the client is
the bottleneck of the rates, and this figure is not touched by it. With --load the calls are made by petasus-load,
which is fast enough not to be.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from routers import crossbar, fox

HERE = Path(__file__).parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the logs and of measure.md")
    parser.add_argument("--ws", help="URL of a running Petasus")
    parser.add_argument("--pid", type=int, help="its process id")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sequential", default="3000", help="calls one after the other, each round")
    parser.add_argument("--pipelined", default="20000", help="calls of which --window are under way, each round")
    parser.add_argument("--window", default="64")
    parser.add_argument("--load", type=Path, help="petasus-load: makes the calls in place of js/measure.mjs")
    parser.add_argument("--seconds", default="2", help="of each part of a round, with --load")
    return parser.parse_args()


def cpu(pid: int) -> float:
    """CPU seconds of a process and of its children that live."""
    ticks = os.sysconf("SC_CLK_TCK")
    parents, spent = {}, {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            fields = Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        parents[int(entry)] = int(fields[1])
        spent[int(entry)] = (int(fields[11]) + int(fields[12])) / ticks
    family, grown = {pid}, True
    while grown:
        more = {child for child, parent in parents.items() if parent in family} - family
        grown = bool(more)
        family |= more
    return sum(spent.get(member, 0.0) for member in family)


def once(name: str, url: str, pid: int | None, given) -> dict:
    """One round at one router."""
    command = ["node", "js/measure.mjs", "--ws", url, "--sequential", given.sequential, "--pipelined", given.pipelined,
               "--window", given.window]
    before = cpu(pid) if pid else 0.0
    ended = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        sys.exit(f"measure.py: {name}: {ended.stderr.strip()[-500:]}")
    found = json.loads(ended.stdout)
    found["cpu_us"] = (cpu(pid) - before) * 1e6 / found["calls"] if pid else None
    return found


COLUMNS = [
    ("sequential, calls/s", lambda one: one["sequential"]["per_second"]),
    ("p50, us", lambda one: one["sequential"]["p50_us"]),
    ("p99, us", lambda one: one["sequential"]["p99_us"]),
    ("pipelined, calls/s", lambda one: one["pipelined"]["per_second"]),
    ("p50, us", lambda one: one["pipelined"]["p50_us"]),
    ("p99, us", lambda one: one["pipelined"]["p99_us"]),
    ("router's CPU a call, us", lambda one: one["cpu_us"]),
]


def table(rounds: dict) -> str:
    """Markdown: the medians of the rounds."""
    text = ["| router | " + " | ".join(name for name, _ in COLUMNS) + " |", "|---|" + "---:|" * len(COLUMNS)]
    for name, found in rounds.items():
        cells = []
        for _, value in COLUMNS:
            values = [value(one) for one in found if value(one) is not None]
            cells.append(f"{median(values):,.0f}" if values else "-")
        text.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(text) + "\n"


def by_load(routers: dict, given) -> str:
    """The table of `petasus-load rpc`; a URL may name its realm behind #."""
    command = [given.load.resolve(), "rpc", "--realm", "realm1", "--rounds", str(given.rounds), "--seconds",
               given.seconds, "--window", given.window]
    for name, (url, _) in routers.items():
        command += ["--router", f"{name}={url}"]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if ended.returncode != 0:
        sys.exit("measure.py: petasus-load failed; what it said is above")
    return ended.stdout


def main() -> None:
    given = arguments()
    given.out.mkdir(parents=True, exist_ok=True)
    with crossbar.start(given.out / "crossbar") as one, fox.start(given.out / "fox-wamp") as other:
        routers = {one.name: (one.ends["ws"], one.pid), other.name: (other.ends["ws"], other.pid)}
        if given.ws:
            routers = {"petasus": (given.ws, given.pid), **routers}
        if given.load:
            text = by_load(routers, given)
            (given.out / "measure.md").write_text(text)
            print(text)
            return
        rounds = {name: [] for name in routers}
        for number in range(given.rounds):
            for name, (url, pid) in routers.items():
                rounds[name].append(once(name, url, pid, given))
                print(f"round {number + 1} {name}: {json.dumps(rounds[name][-1])}", flush=True)
    text = table(rounds)
    (given.out / "measure.md").write_text(text)
    (given.out / "measure.json").write_text(json.dumps(rounds, indent=1))
    print(f"\nRPC over WebSocket, JSON; {given.window} calls at a time when pipelined; medians of {given.rounds} rounds:\n\n{text}")


if __name__ == "__main__":
    main()
