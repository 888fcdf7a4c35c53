"""The brokers, as they are out of the box but for one setting, each a process of its own on a free port."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]

OUTBOX = str(64 << 20)
"""As much waits for a slow reader as nats-server lets wait; mosquitto has no bound. With the MiB that Petasus has by
default, a reader that the system lets wait for some milliseconds is disconnected."""


class MissingError(Exception):
    """A program is not installed; the text says how to."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def found(name: str, package: str) -> str:
    program = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if program is None:
        raise MissingError(f"{name} is missing; run: apt-get install {package}")
    return program


def command(name: str, port: int, folder: Path) -> tuple[list[str], str]:
    """How the server is started, and its URL."""
    if name == "petasus":
        program = str(Path(os.environ.get("PETASUS", ROOT / "target" / "release" / "petasus")).absolute())
        if not Path(program).exists():
            raise MissingError("the broker is missing; run: cargo build --release -p petasus-cli")
        listen = ["--listen", f"http://127.0.0.1:{port}", "--admin", "none"]
        return [program, "broker", "--mode", "production", *listen], f"ws://127.0.0.1:{port}"
    if name == "nats-server":
        return [found(name, name), "-a", "127.0.0.1", "-p", str(port)], f"nats://127.0.0.1:{port}"
    if name == "mosquitto":
        return [found(name, name), "-p", str(port)], f"mqtt://127.0.0.1:{port}"
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    python = cache / "petasus" / "wamp-python" / "bin" / "python"
    if not python.exists():
        raise MissingError("crossbar is missing; run: cargo xtask test wamp")
    return [str(python), "-u", str(ROOT / "xtask" / "wamp" / "serve.py"), str(folder)], ""


class Server:
    """A running broker."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._folder = Path(tempfile.mkdtemp(prefix="petasus-bench-"))
        port = free_port()
        line, self.url = command(name, port, self._folder)
        self._log = (self._folder / "log").open("w+")
        # A group of its own: whatever it starts ends with it, and nothing else.
        self._process = subprocess.Popen(
            line,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            cwd=self._folder,
            env={**os.environ, "PETASUS_OUTBOX_BYTES": OUTBOX},
            start_new_session=True,
        )
        self._wait(port)

    def _wait(self, port: int) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self._process.poll() is None:
            if self.name == "crossbar":
                said = re.search(r"listening on (ws\S+)", Path(self._log.name).read_text())
                if said:
                    self.url = f"{said[1]}#realm1"
                    return
            elif self._listens(port):
                return
            time.sleep(0.05)
        raise MissingError(f"{self.name} did not start: {Path(self._log.name).read_text()}")

    @staticmethod
    def _listens(port: int) -> bool:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            return False
        return True

    def cpu(self) -> float:
        """The processor time of all threads of all its processes, in seconds."""
        session, spent = self._process.pid, 0.0
        for entry in Path("/proc").iterdir():
            try:
                fields = (
                    (entry / "stat").read_text().rsplit(")", 1)[1].split() if entry.name.isdigit() else []
                )
            except OSError:
                continue
            if fields and self._belongs(int(entry.name), int(fields[3]), int(fields[1]), session):
                spent += sum(int(one.read_text().split()[0]) for one in entry.glob("task/*/schedstat")) / 1e9
        return spent

    def _belongs(self, pid: int, of_session: int, parent: int, session: int) -> bool:
        """Crossbar starts its router in a session of its own."""
        while pid > 1:
            if pid == session or of_session == session:
                return True
            try:
                fields = Path(f"/proc/{parent}/stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                return False
            pid, of_session, parent = parent, int(fields[3]), int(fields[1])
        return False

    def stop(self) -> None:
        """Ends it, and forgets what it wrote."""
        self._process.terminate()
        try:
            # Crossbar is given its time by who started it, and takes it.
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)
