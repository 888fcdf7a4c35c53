"""The cases: a name, the transports and serialisers they run over, and the coroutine."""

import asyncio
import traceback
from dataclasses import dataclass
from typing import Awaitable, Callable

# A case that takes longer hangs. Nothing is measured with it.
PATIENCE = 10.0

# The same for what is known to hang at this router.
SHORT = 1.5

SERIALIZERS = ("json", "msgpack", "cbor")


class Failed(AssertionError):
    """The router did something else than the case asks for."""


class Skipped(Exception):
    """The case cannot run here; the text says why."""


@dataclass
class Case:
    """One case: what it is called, where it runs, what it does."""

    name: str
    run: Callable[..., Awaitable[None]]
    each: bool  # in every serialiser, or in JSON only
    transports: tuple[str, ...]  # ws, tcp, unix
    petasus: bool  # asks for what only Petasus has


ALL: list[Case] = []


def case(name: str, each: bool = True, transports: tuple[str, ...] = ("ws",), petasus: bool = False):
    """Registers a coroutine `run(world)` as a case."""

    def register(run):
        ALL.append(Case(name, run, each, transports, petasus))
        return run

    return register


def named(transport: str, serializer: str, name: str) -> str:
    """The full name of a run: `ws.json/rpc.result`."""
    return f"{transport}.{serializer}/{name}"


def runs():
    """Every (full name, case, transport, serialiser), in a fixed order."""
    for one in ALL:
        for transport in one.transports:
            for serializer in SERIALIZERS if one.each else SERIALIZERS[:1]:
                yield named(transport, serializer, one.name), one, transport, serializer


async def judge(one: Case, world, patience: float = PATIENCE) -> tuple[str, str]:
    """Runs a case; ("pass" | "fail" | "skip", detail). `patience` in seconds."""
    try:
        async with asyncio.timeout(patience):
            await one.run(world)
        return "pass", ""
    except Skipped as why:
        return "skip", str(why)
    except TimeoutError:
        return "fail", f"hangs: {world.waiting_for or 'no answer'}; last messages: {world.last_messages()}"
    except Exception as problem:  # whatever a case trips over is its verdict
        frames = [f for f in traceback.extract_tb(problem.__traceback__) if "/cases/" in f.filename]
        where = f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}: " if frames else ""
        what = str(problem) if isinstance(problem, Failed) else f"{type(problem).__name__}: {problem}"
        return "fail", where + what
    finally:
        await world.close()


def equal(found, wanted, what: str) -> None:
    """Fails unless both are equal, and of equal types all the way down (1, 1.0 and True differ)."""
    if repr(found) != repr(wanted):
        raise Failed(f"{what}: {found!r} and not {wanted!r}")


def holds(condition, what: str) -> None:
    """Fails unless the condition holds."""
    if not condition:
        raise Failed(what)
