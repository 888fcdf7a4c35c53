"""What each call of the synchronous client gives when another thread closes the client at that moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

import petasus
import petasus.sync
from brokers import Broker

ROUNDS = 30

ENDLESS = "com.example.end.endless"
"""A procedure that gives no answer."""


def what_ends(client: petasus.sync.Client) -> dict[str, Callable[[], object]]:
    """What is over then, and raises nothing."""
    messages, jobs = client.subscribe("end.messages"), client.pull("end-jobs", on_drop="complete")
    calls, statuses = client.register("com.example.end.calls"), client.statuses()
    left, parts = client.subscribe("end.left"), client.call_progressive(ENDLESS)
    return {
        "messages": lambda: list(messages),
        "jobs": lambda: list(jobs),
        "calls": lambda: list(calls),
        "statuses": lambda: list(statuses),
        "leaving": lambda: left.__exit__(None, None, None),
        "canceling": lambda: parts.__exit__(None, None, None),
        "watching": lambda: [client.statuses() for _ in range(100)],
        "checking": lambda: [client.check() for _ in range(100)],
        "closing": client.close,
        "draining": client.drain,
    }


def for_ever(act: Callable[[], object]) -> Callable[[], None]:
    """Does it again and again."""

    def go() -> None:
        while True:
            act()

    return go


def what_fails(client: petasus.sync.Client) -> dict[str, Callable[[], object]]:
    """What was not done, and says so."""
    parts, upload = (
        client.call_progressive(ENDLESS),
        client.upload(ENDLESS),
    )
    return {
        "publish": for_ever(lambda: client.publish("end", "x")),
        "publish_queued": for_ever(lambda: client.publish_queued("end", "x")),
        "subscribe": for_ever(lambda: client.subscribe("end.subscribe")),
        "call": lambda: client.call(ENDLESS),
        "parts": lambda: list(parts),
        "upload": lambda: upload.finish(1),
        "push": for_ever(lambda: client.push("end-push", "x")),
    }


@pytest.mark.parametrize(("acts", "gives"), [(what_ends, None), (what_fails, petasus.ClosedError)])
def test_a_client_that_another_thread_closes_ends_for_all(
    broker: Broker,
    acts: Callable[[petasus.sync.Client], dict[str, Callable[[], object]]],
    gives: type[BaseException] | None,
) -> None:
    with petasus.sync.connect(broker.url) as callee:
        unanswered = callee.register(ENDLESS)
        for _ in range(ROUNDS):
            client = petasus.sync.connect(broker.url)
            given = all_at_once({**acts(client), "the end": client.close})
            assert given.pop("the end") is None
            assert given == dict.fromkeys(given, gives)
        del unanswered


def all_at_once(acts: dict[str, Callable[[], object]]) -> dict[str, type[BaseException] | None]:
    """Does each on a thread of its own, and says what each raised."""
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        start.wait()
        act()

    with ThreadPoolExecutor(len(acts)) as pool:
        running = {name: pool.submit(run, act) for name, act in acts.items()}
        raised = {name: future.exception(60) for name, future in running.items()}
    return {name: None if error is None else type(error) for name, error in raised.items()}


def test_what_came_before_the_end_is_still_there(broker: Broker) -> None:
    client = petasus.sync.connect(broker.url)
    messages, calls = client.subscribe("end.before"), client.register("com.example.end.before")
    parts = client.call_progressive("com.example.end.before")
    call = calls.next(timeout=30)
    for number in range(999):
        client.publish_queued("end.before", number)
    client.publish("end.before", 999)
    call.progress("a part")
    call.reply("the result")
    assert messages.next(timeout=30).json() == 0
    client.drain()
    # Both were taken by several threads, of which none gets what another has.
    with ThreadPoolExecutor(4) as pool:
        taken = [number for of in pool.map(lambda _: [m.json() for m in messages], range(4)) for number in of]
    assert sorted(taken) == list(range(1, 1000))
    assert ([part.text for part in parts], parts.result and parts.result.text) == (["a part"], "the result")


def test_a_job_that_was_taken_does_not_keep_the_loop_from_ending(broker: Broker) -> None:
    client = petasus.sync.connect(broker.url)
    jobs = client.pull("end-taken", on_drop="complete")
    client.push("end-taken", "a job")
    job = jobs.next(timeout=30)
    client.close()
    assert (job.text, list(jobs)) == ("a job", [])
