"""The examples print what they say that they print."""

from __future__ import annotations

import ast
import asyncio
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

import petasus
from brokers import Broker

EXAMPLES = Path(__file__).parents[1] / "examples"
BY_THEMSELVES = sorted(path.stem for path in EXAMPLES.glob("*.py") if path.stem != "stay_connected")


def command(name: str, url: str) -> list[str]:
    return [sys.executable, "-X", "dev", "-W", "error", str(EXAMPLES / f"{name}.py"), url]


def started(name: str, url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(command(name, url), stdout=subprocess.PIPE, text=True)


def announced(name: str) -> str:
    """What follows `Prints:` in its docstring."""
    docstring = ast.get_docstring(ast.parse((EXAMPLES / f"{name}.py").read_text())) or ""
    return textwrap.dedent(docstring.partition("Prints:\n")[2]).strip()


def test_there_are_examples() -> None:
    assert len(BY_THEMSELVES) >= 8


@pytest.mark.parametrize("name", BY_THEMSELVES)
def test_an_example_prints_what_it_announces(name: str, broker: Broker) -> None:
    done = subprocess.run(command(name, broker.url), capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, announced(name)), done.stderr
    assert "Warning" not in done.stderr
    assert "Traceback" not in done.stderr


async def test_stay_connected_hears_again_after_a_restart(make_broker: Callable[..., Broker]) -> None:
    broker = make_broker()
    example = started("stay_connected", broker.url)
    assert example.stdout is not None
    try:
        await hear(broker, example.stdout, "first", "heard: first")
        broker.kill()
        await line(example.stdout, "waiting")
        broker.start()
        lines = await hear(broker, example.stdout, "the end", "heard: the end")
        assert "messages may be missing here" in lines
        assert await asyncio.to_thread(example.wait, 30) == 0
    finally:
        example.kill()
        example.wait()
        example.stdout.close()


async def hear(broker: Broker, stdout: IO[str], text: str, expected: str) -> list[str]:
    """Publishes until the example says so. What it says."""

    async def publish() -> None:
        async with petasus.connect(broker.url) as client:
            while True:
                await client.publish("news", text)
                await asyncio.sleep(0.02)

    publishing = asyncio.create_task(publish())
    try:
        return await line(stdout, expected)
    finally:
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)


async def line(stdout: IO[str], expected: str) -> list[str]:
    """The lines up to this one."""
    said: list[str] = []
    while not said or said[-1] != expected:
        one = await asyncio.to_thread(stdout.readline)
        assert one, f"it ended after {said}"
        said.append(one.strip())
    return said
