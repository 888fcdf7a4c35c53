"""Brokers to test against: ours as a program of its own, and those that others started."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

import petasus

T = TypeVar("T")

CROSSBAR = "PETASUS_TEST_CROSSBAR"
"""Where crossbar listens, as in `ws://127.0.0.1:8080/ws`."""
CROSSBAR_REALM = "PETASUS_TEST_CROSSBAR_REALM"
"""The realm there in which anonymous sessions may do everything."""
MERCURY = "PETASUS_TEST_MERCURY"
"""Where a broker listens that speaks as the original Mercury does."""
LOOP = "PETASUS_TEST_LOOP"
"""The kind of event loop: `asyncio`, or `uvloop`."""

# Taken out of the environment: a broker of ours refuses variables that it does not know.
SETTINGS = {name: os.environ.pop(name, "") for name in (CROSSBAR, CROSSBAR_REALM, MERCURY, LOOP)}


def program() -> str:
    found = os.environ.get("PETASUS") or shutil.which("petasus")
    built = Path(__file__).parents[2] / "target" / "debug" / "petasus"
    if found is None and built.exists():
        found = str(built)
    if found is None:
        pytest.exit("no broker: run `cargo build -p petasus-cli`, or name the program in PETASUS", 2)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Broker:
    """Ours, at a port that it keeps over a restart."""

    def __init__(
        self, folder: Path, *flags: str, config: str = "", scheme: str = "http", query: str = ""
    ) -> None:
        self._address = (scheme, query)
        self.port = free_port()
        self.url = f"ws://127.0.0.1:{self.port}"
        self._folder = folder
        self._flags = flags
        (folder / "petasus.toml").write_text(config)
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Returns when it listens."""
        scheme, query = self._address
        listen = f"{scheme}://127.0.0.1:{self.port}{query}"
        self._process = subprocess.Popen(
            [program(), "broker", "--listen", listen, "--admin", "none", *self._flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self._folder,
            # The settings of the user, and the names of other brokers, are not its own.
            env={name: value for name, value in os.environ.items() if not name.startswith("PETASUS")},
        )
        assert self._process.stdout is not None
        said = []
        for line in self._process.stdout:
            said.append(line)
            if re.search(r"listening on", line):
                break
        # What it says later must not fill the pipe.
        self._reader = threading.Thread(target=self._process.stdout.read, daemon=True)
        self._reader.start()
        if self._process.poll() is not None or not said or "listening on" not in said[-1]:
            self.kill()
            raise RuntimeError("the broker did not start: " + "".join(said))

    def kill(self) -> None:
        """Ends it without a word."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._reader.join()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None


@dataclass(frozen=True)
class Target:
    """A broker and a way to speak with it."""

    name: str
    options: petasus.Options
    features: frozenset[str]
    url: str = ""
    """The variable that names the URL; none for our own broker, which the tests start."""

    @property
    def is_mercury(self) -> bool:
        return self.options.get("dialect") == "mercury"


WAMP = frozenset({"match", "exclude_me", "call", "register"})
QUEUES = frozenset({"bus", "push", "pull"})
ALL = WAMP | QUEUES | {"bus_send", "push_done", "upload"}

TARGETS = {
    target.name: target
    for target in [
        Target("json", {"serializers": ["json"]}, ALL),
        Target("msgpack", {"serializers": ["msgpack"]}, ALL),
        Target("cbor", {"serializers": ["cbor"]}, ALL),
        Target("mercury", {"dialect": "mercury"}, QUEUES),
        Target("crossbar", {"realm": SETTINGS[CROSSBAR_REALM] or "realm1"}, WAMP, CROSSBAR),
        Target("perl", {"dialect": "mercury"}, QUEUES, MERCURY),
    ]
}
"""What each target can."""


class NotThereError(Exception):
    """The target can not do this, and the client says so: the test is over, and held."""


class Site:
    """A target that runs, and a client of either driver for it."""

    def __init__(self, target: Target, url: str, connect: Any) -> None:
        self.target = target
        self.url = url
        self.driver = connect
        self._prefix = secrets.token_hex(4)

    def connect(self, **options: Any) -> Any:
        return self.driver(self.url, **{**self.target.options, **options})

    @property
    def is_asyncio(self) -> bool:
        return bool(self.driver is petasus.connect)

    def topic(self, name: str) -> str:
        """A topic of this test alone: others use the same broker."""
        return f"{self._prefix}/{name}"

    def uri(self, name: str) -> str:
        """The URI of a procedure of this test alone, or of a topic."""
        return self.topic(name).replace("/", ".")

    async def judge(self, feature: str, asked: Awaitable[T]) -> T:
        """What comes of it. Fails if the table says otherwise; ends the test if it is not there and should not be."""
        assert feature in ALL
        if feature in self.target.features:
            return await asked
        with pytest.raises(petasus.UnsupportedError):
            await asked
        raise NotThereError
