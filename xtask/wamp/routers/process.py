"""A router as a child process: started, awaited by its port, ended by its own process id."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path


class NotUp(Exception):
    """The router did not start; the text holds the end of its log."""


def free_port() -> int:
    """A TCP port of the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Router:
    """A running router; `with` ends it."""

    def __init__(self, name: str, command: list, folder: Path, ends: dict, environment=None):
        self.name, self.folder, self.ends = name, folder, ends
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as log:
            # A session of its own: whatever it starts is ended with it, and nothing else.
            self.child = subprocess.Popen(
                [str(part) for part in command], cwd=folder, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True, env={**os.environ, **(environment or {})},
            )

    @property
    def pid(self) -> int:
        return self.child.pid

    def wait(self, seconds: float = 60):
        """Waits until all its addresses take connections."""
        deadline = time.monotonic() + seconds
        for address in self._addresses():
            while not _connects(address):
                if self.child.poll() is not None or time.monotonic() > deadline:
                    raise NotUp(f"{self.name} does not listen on {address}; its log ends with:\n{self.tail()}")
                try:
                    self.child.wait(0.05)
                except subprocess.TimeoutExpired:
                    pass
        return self

    def _addresses(self):
        for key, value in self.ends.items():
            if key == "unix":
                yield value
            elif key == "tcp":
                host, port = value.rsplit(":", 1)
                yield host, int(port)
            elif key == "ws":
                host, port = value.split("/")[2].rsplit(":", 1)
                yield host, int(port)

    def tail(self, lines: int = 15) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def alive(self) -> bool:
        return self.child.poll() is None

    def stop(self):
        """Asks it to end, and ends it and its children when it does not."""
        if self.alive():
            self.child.terminate()
            try:
                self.child.wait(15)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.child.wait()

    def __enter__(self):
        try:
            return self.wait()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()


def _connects(address) -> bool:
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as probe:
        probe.settimeout(1)
        return probe.connect_ex(address) == 0
