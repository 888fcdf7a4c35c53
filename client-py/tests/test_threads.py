"""The synchronous client is for any thread, and ends for all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import petasus
import petasus.sync
from brokers import Broker

THREADS = 8


def all_at_once(act: Callable[[int], None]) -> None:
    """Runs it on so many threads, and raises what one of them raised."""
    start = threading.Barrier(THREADS)

    def run(number: int) -> None:
        start.wait()
        act(number)

    with ThreadPoolExecutor(THREADS) as pool:
        for future in [pool.submit(run, number) for number in range(THREADS)]:
            future.result(60)


def test_threads_share_a_client(broker: Broker) -> None:
    with petasus.sync.connect(broker.url) as client:
        client.register("com.example.threads.echo", lambda number: number)

        def act(thread: int) -> None:
            with client.subscribe(f"threads.{thread}") as messages:
                for number in range(50):
                    assert client.call("com.example.threads.echo", number).json() == number
                    client.publish_queued(f"threads.{thread}", number)
                    client.fire("threads.nobody", b"x" * 5000)
                    assert messages.next(timeout=30).json() == number
                    assert client.waiting >= 0

        all_at_once(act)


def test_threads_take_from_one_subscription_and_lose_nothing(broker: Broker) -> None:
    count = 4000
    with petasus.sync.connect(broker.url) as client, client.subscribe("threads.shared") as messages:
        taken: list[int] = []

        def take(thread: int) -> None:
            for _ in range(count // THREADS):
                taken.append(messages.next(timeout=30).json())

        def publish() -> None:
            for number in range(count):
                client.publish_queued("threads.shared", number)

        publishing = threading.Thread(target=publish)
        publishing.start()
        all_at_once(take)
        publishing.join()
        assert sorted(taken) == list(range(count))


def test_clients_come_and_go_on_many_threads(broker: Broker) -> None:
    def act(thread: int) -> None:
        for _ in range(5):
            with petasus.sync.connect(broker.url) as client:
                client.publish("threads", "x")

    before = threading.active_count()
    all_at_once(act)
    assert threading.active_count() <= before


def test_a_core_is_for_any_thread() -> None:
    """Also where threads are free: nothing is half done, and nothing waits for ever."""
    from petasus._petasus import Core

    core = Core("ws://127.0.0.1:1", 7, {"queue_bytes": 1 << 30})
    core.connect(0.0)

    def act(thread: int) -> None:
        for number in range(2000):
            core.publish(f"thread.{thread}", "x" * 100, "queued", True, None, 1.0)
            if number % 100 == 0:
                subscription = core.subscribe("tree", "threads", False, 1.0)
                core.unsubscribe(subscription, 1.0)
                core.receive_data(0, b"x" * (64 << 10), 1.0)
                core.poll()
                core.next_timeout()

    all_at_once(act)
    assert core.waiting() >= THREADS * 2000 * 100
