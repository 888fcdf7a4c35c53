"""The code in the documentation runs, and prints what it says.

The blocks of a page run one after the other, in one namespace, with `await` where `python -m asyncio` has it. A block
of text after a block of Python is what the latter prints. Blocks marked as `py` are not run; each has its reason here.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import io
import logging
import os
import re
import subprocess
import sys
import threading
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import petasus
import petasus.sync
from brokers import Broker, free_port, program

PROGRAM = os.path.abspath(program())
CLIENT = Path(__file__).parents[1]
PAGES = {path.relative_to(CLIENT).as_posix(): path for path in (CLIENT / "docs").rglob("*.md")}
PAGES["README.md"] = CLIENT / "README.md"
WITH_CODE = sorted(name for name, path in PAGES.items() if "```python\n" in path.read_text())

NOT_RUN: dict[str, int] = {}
"""The blocks that are shown and not run, by page."""

NEEDED = {"docs/how-to/web.md": ("flask", "django", "fastapi", "httpx")}
"""What a page shows petasus with: docs/requirements.txt."""

ACCESS = """
anonymous = "guest"
[[users]]
authid = "ann"
role = "member"
ticket = "open sesame"
secret = "open sesame"
public_keys = ["3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"]
[[rules]]
uri = ""
match = "prefix"
allow = ["subscribe", "publish", "call", "register"]
"""

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    line: int
    code: str
    printed: str | None


def blocks(text: str) -> list[Block]:
    """Those of Python, each with what it prints."""
    found: list[Block] = []
    for match in BLOCK.finditer(text):
        language, body = match.groups()
        if language == "python":
            found.append(Block(text[: match.start()].count("\n") + 1, body, None))
        elif language == "text" and found:
            found[-1] = found[-1]._replace(printed=body)
    return found


@pytest.fixture
def url(page: str, make_broker: Callable[..., Broker], tmp_path: Path) -> str:
    """That of a broker of its own; the page on log-ins has users, the one on TLS a certificate."""
    if page.endswith("log-in.md"):
        (tmp_path / "access.toml").write_text(ACCESS)
        return make_broker(config='[auth]\naccess = "access.toml"\n').url
    if page.endswith("tls.md"):
        make_certificate(tmp_path)
        query = f"?cert={tmp_path / 'ca.pem'}&key={tmp_path / 'key.pem'}"
        return make_broker(scheme="https", query=query).url.replace("ws:", "wss:")
    return make_broker().url


def make_certificate(folder: Path) -> None:
    """One for 127.0.0.1, which is its own authority."""
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "ca.pem")]
    try:
        subprocess.run(
            [*command.split(), *files, "-addext", "subjectAltName=IP:127.0.0.1"],
            check=True,
            capture_output=True,
        )
    except FileNotFoundError:
        pytest.skip("there is no openssl program to make a certificate with")


async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A proxy that lets everybody through."""

    async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                target.write(data)
        target.close()

    head = await reader.readuntil(b"\r\n\r\n")
    host, port = head.split()[1].decode().rsplit(":", 1)
    answers, requests = await asyncio.open_connection(host, int(port))
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    await asyncio.gather(pump(reader, requests), pump(answers, writer))


@pytest.fixture
def kept_logging() -> Iterator[None]:
    """What a page does to the log is undone."""
    loggers = [logging.getLogger(), logging.getLogger("petasus")]
    before = [(logger, logger.level, logger.handlers[:]) for logger in loggers]
    yield
    for logger, level, former in before:
        logger.setLevel(level)
        logger.handlers[:] = former


@pytest.mark.parametrize("page", WITH_CODE)
@pytest.mark.usefixtures("kept_logging")
async def test_the_code_of_a_page_runs(
    page: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in NEEDED.get(page, ()):
        pytest.importorskip(name)
    monkeypatch.chdir(tmp_path)
    # Set, and so put back in the end, whatever a page does to it.
    monkeypatch.setenv("HTTP_PROXY", "")
    for name in ("http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    proxy = await asyncio.start_server(tunnel, "127.0.0.1", 0)
    port = proxy.sockets[0].getsockname()[1]
    monkeypatch.setenv("PETASUS", PROGRAM)
    text = PAGES[page].read_text()
    text = re.sub(r"wss?://127\.0\.0\.1:3000", url, text)
    text = re.sub(r"127\.0\.0\.1:1\b", f"127.0.0.1:{free_port()}", text)
    text = text.replace("proxy.example.com:8080", f"127.0.0.1:{port}")
    module = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", module)
    found = blocks(text)
    assert found
    try:
        for block in found:
            # As many empty lines before it as the page has text, so that errors name its line.
            code = "\n" * block.line + block.code
            printed = await asyncio.wait_for(printed_by(code, page, module.__dict__), 30)
            if block.printed is not None:
                assert printed == block.printed, f"{page}, line {block.line}"
    finally:
        await closed(list(module.__dict__.values()))
        proxy.close()


async def closed(things: list[Any]) -> None:
    """Closes the clients among these."""
    for thing in things:
        if isinstance(thing, petasus.Client):
            await thing.close()
        elif isinstance(thing, petasus.sync.Client):
            await asyncio.to_thread(thing.close)


async def printed_by(code: str, page: str, names: dict[str, Any]) -> str:
    """Runs it. What it prints."""
    compiled = compile(code, page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        run = types.FunctionType(compiled, names)
        if compiled.co_flags & inspect.CO_COROUTINE:
            await run()
        elif "sync" in code or any(type(thing) is petasus.sync.Client for thing in names.values()):
            await beside(run)
        else:
            # A client of asyncio is used on its loop alone.
            run()
    return said.getvalue()


async def beside(run: Callable[[], None]) -> None:
    """Runs what may wait on a thread that hangs nobody."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def tell(error: BaseException | None) -> None:
        if not done.cancelled():
            done.set_exception(error) if error else done.set_result(None)

    def body() -> None:
        try:
            run()
        except BaseException as error:
            loop.call_soon_threadsafe(tell, error)
        else:
            loop.call_soon_threadsafe(tell, None)

    threading.Thread(target=body, daemon=True).start()
    await done


def test_what_is_not_run_is_listed() -> None:
    shown = {name: path.read_text().count("```py\n") for name, path in PAGES.items()}
    assert {name: number for name, number in shown.items() if number} == NOT_RUN


def test_all_public_names_are_in_the_reference() -> None:
    reference = "".join(path.read_text() for path in (CLIENT / "docs" / "reference").glob("*.md"))
    missing = [
        f"{module.__name__}.{name}"
        for module in (petasus, petasus.asyncio, petasus.sync)
        for name in module.__all__
        if not re.search(rf"\b{module.__name__.replace('.', chr(92) + '.')}\.{name}\b", reference)
        and (module is petasus or f"{module.__name__}\n:members:" not in reference)
    ]
    assert missing == []


def test_pages_name_no_machine() -> None:
    for name, path in PAGES.items():
        assert os.path.expanduser("~") + "/" not in path.read_text(), name
