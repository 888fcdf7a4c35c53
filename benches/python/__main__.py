"""Our Python client beside others, each at a broker of its own: `python benches/python --help`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import wire  # noqa: E402
from servers import ROOT, MissingError, Server  # noqa: E402
from table import markdown  # noqa: E402


class Contestant(NamedTuple):
    """A library, at a broker, on a wire."""

    name: str
    module: str
    server: str
    wire: str
    variant: tuple[str, ...] = ()


CONTESTANTS = [
    Contestant(f"petasus.{kind}, {name}", f"petasus_{kind}", "petasus", wire, (variant,))
    for kind in ("asyncio", "sync")
    for name, wire, variant in [
        ("WAMP json", "wamp", "json"),
        ("WAMP cbor", "wamp", "cbor"),
        ("Mercury", "mercury", "mercury"),
    ]
]
CONTESTANTS += [
    Contestant(f"autobahn, {variant}, at {name}", "autobahn_asyncio", server, "wamp", (variant,))
    for server, name in [("petasus", "Petasus"), ("crossbar", "crossbar")]
    for variant in ("json", "cbor")
]
CONTESTANTS += [
    Contestant("nats-py", "nats_py", "nats-server", "nats"),
    Contestant("paho-mqtt, QoS 0", "paho", "mosquitto", "mqtt"),
    Contestant("aiomqtt, QoS 0", "aio_mqtt", "mosquitto", "mqtt"),
]
DIRECTIONS = ("publish", "receive", "both")


def url_of(contestant: Contestant, server: Server) -> str:
    """The URL as the library wants it."""
    if contestant.module == "autobahn_asyncio" and contestant.server == "petasus":
        return f"{server.url}/ws#default"
    return server.url


class Side:
    """The process of the library."""

    def __init__(self, contestant: Contestant, direction: str, url: str, seconds: float) -> None:
        self.progress, given = os.pipe() if direction == "receive" else (-1, -1)
        self._process = subprocess.Popen(
            [
                *(sys.executable, str(HERE / "side.py"), contestant.module, direction, url),
                *(str(seconds), str(given), *contestant.variant),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[given] if given >= 0 else [],
            text=True,
        )
        if given >= 0:
            os.close(given)
        if self._process.stdout.readline() != "ready\n":
            raise RuntimeError(f"{contestant.name} did not connect")

    def go(self) -> None:
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def report(self) -> dict:
        said, _ = self._process.communicate(timeout=60)
        if self.progress >= 0:
            os.close(self.progress)
        if self._process.returncode:
            raise RuntimeError(f"it ended with status {self._process.returncode}")
        return json.loads(said.splitlines()[-1])

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


def measure(contestant: Contestant, direction: str, server: Server, seconds: float) -> dict:
    """One run."""
    url = url_of(contestant, server)
    side = Side(contestant, direction, url, seconds)
    try:
        if direction == "publish":
            found = published(contestant, side, url, server)
        else:
            found = received(contestant, direction, side, url, server, seconds)
    except BaseException:
        side.kill()
        raise
    messages = found["sent"] if direction == "publish" else found["received"]
    found["client_us"] = found["cpu"] / messages * 1e6
    found["server_us"] = found.pop("server") / messages * 1e6
    found["lost"] = found["sent"] - found["received"]
    return found


def published(contestant: Contestant, side: Side, url: str, server: Server) -> dict:
    """The library publishes, flat out; what counts is what comes out of the broker."""
    sink = wire.sink(contestant.wire, server.url)
    before = server.cpu()
    side.go()
    report: dict = {}

    def is_all(count: int) -> bool:
        if not report and side.has_ended():
            report.update(side.report())
        return bool(report) and count >= report["sent"]

    count, seconds = sink.count(is_all)
    return {
        **report,
        "received": count,
        "seconds": seconds,
        "rate": count / seconds,
        "server": server.cpu() - before,
    }


def received(
    contestant: Contestant, direction: str, side: Side, url: str, server: Server, seconds: float
) -> dict:
    """The library receives what a socket publishes, or what it publishes itself."""
    feeder = wire.feeder(contestant.wire, server.url) if direction == "receive" else None
    before = server.cpu()
    side.go()
    sent = feeder.feed(seconds, side.progress) if feeder else None
    report = side.report()
    report["sent"] = report["sent"] if sent is None else sent
    return {**report, "rate": report["received"] / report["seconds"], "server": server.cpu() - before}


def rounds(contestants: list[Contestant], given: argparse.Namespace) -> dict:
    """All in turn, so that a change of the machine's speed meets all of them."""
    servers: dict[str, Server | None] = {}
    found: dict = {direction: {one.name: [] for one in contestants} for direction in given.only}
    try:
        for name in {one.server: None for one in contestants}:
            try:
                servers[name] = Server(name)
            except MissingError as missing:
                print(f"left out: {missing}", file=sys.stderr)
        for number in range(given.rounds):
            for direction in given.only:
                for one in contestants:
                    if one.server not in servers:
                        continue
                    try:
                        run = measure(one, direction, servers[one.server], given.seconds)
                    except (RuntimeError, OSError, subprocess.TimeoutExpired) as problem:
                        print(f"{one.name}, {direction}: {problem}", file=sys.stderr)
                        continue
                    found[direction][one.name].append(run)
                    told = f"{run['rate']:10,.0f}/s {run['client_us']:6.2f} us, lost {run['lost']}"
                    print(
                        f"round {number + 1} {direction:8} {one.name:32} {told}", file=sys.stderr, flush=True
                    )
    finally:
        for server in servers.values():
            server.stop()
    return found


def machine() -> str:
    """Where and with what."""
    model = next(
        (line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), ": ?"
    )
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    load = os.getloadavg()[0]
    names = ["petasus", "autobahn", "nats-py", "paho-mqtt", "aiomqtt"]
    return (
        f"{os.cpu_count()} cores of {model.split(':', 1)[1].strip()}, Linux {platform.release()}, "
        f"CPython {platform.python_version()}, commit {commit}, load average {load:.1f}; "
        + ", ".join(f"{name} {version(name)}" for name in names)
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python benches/python", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2, help="of each run")
    parser.add_argument("--only", nargs="*", choices=DIRECTIONS, default=DIRECTIONS)
    parser.add_argument(
        "--contestants", default="", help="those whose name holds one of these texts, by commas"
    )
    parser.add_argument("--json", type=Path, help="a file for all figures")
    given = parser.parse_args()
    wanted = [text for text in given.contestants.split(",") if text]
    chosen = [one for one in CONTESTANTS if not wanted or any(text in one.name for text in wanted)]
    where = machine()
    found = rounds(chosen, given)
    print(f"{where}; after it {os.getloadavg()[0]:.1f}. {given.rounds} rounds, {given.seconds:g} s each.\n")
    print(markdown(found))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
