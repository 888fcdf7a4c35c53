"""Processes: forks, ends, pickling, the command line."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
from typing import Any

import pytest

import petasus
import petasus.sync
from brokers import Broker


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_can_not_use_the_client_of_its_parent(broker: Broker) -> None:
    with petasus.sync.connect(broker.url) as client:
        child = os.fork()
        if child == 0:
            refused = 0
            try:
                for act in (client.publish, client.publish_queued, client.fire):
                    try:
                        act("news", "from a child")
                    except petasus.GaveUpError as error:
                        refused += "fork" in str(error)
            finally:
                os._exit(3 - refused)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        client.publish("news", "from the parent")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_children_connect_for_themselves(broker: Broker) -> None:
    program = f"""
    import multiprocessing, os, threading
    import petasus.sync

    def child(number):
        assert parent.waiting == 0
        with petasus.sync.connect({broker.url!r}) as client:
            client.publish("children", number)

    parent = petasus.sync.connect({broker.url!r})
    children = parent.subscribe("children")
    # The thread of the client is at work while it forks.
    busy = parent.subscribe("busy")
    stop = threading.Event()

    def publish():
        while not stop.is_set():
            parent.publish_queued("busy", "x" * 10_000)
            next(busy)

    publishing = threading.Thread(target=publish)
    publishing.start()
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=child, args=(number,)) for number in range(5)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
        assert process.exitcode == 0, process.exitcode
    stop.set()
    publishing.join()
    assert {{children.next(timeout=30).json() for _ in range(5)}} == set(range(5))
    print("fine")
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "fine\n", "")


@pytest.mark.parametrize(
    "program",
    [
        """
        client = petasus.sync.connect(url)
        client.publish("news", "x")
        """,
        """
        client = petasus.sync.connect(url)
        news = client.subscribe("news")
        client.register("com.example.exit", lambda: 1)
        client.call("com.example.exit")
        del client
        """,
        """
        async def main():
            async with petasus.connect(url) as client:
                news = await client.subscribe("news")
                await client.register("com.example.exit", lambda: 1)
                await client.publish("news", "x")
        asyncio.run(main())
        """,
        """
        async def main():
            # Nobody closes it, and the loop ends.
            client = await petasus.connect(url)
            news = await client.subscribe("news")
            await client.register("com.example.exit", lambda: 1)
            return client, news, asyncio.create_task(news.next())
        client, news, task = asyncio.run(main())
        for act in (lambda: client.fire("news", "x"), lambda: asyncio.run(client.publish("news", "x"))):
            try:
                act()
            except petasus.ClosedError:
                pass
            else:
                raise AssertionError("it is closed")
        asyncio.run(client.close())
        """,
        """
        async def main():
            for wrong in ["nonsense", "ftp://127.0.0.1", url + "/nowhere"]:
                try:
                    await petasus.connect(wrong)
                except petasus.PetasusError:
                    pass
            client = await petasus.connect(url)
            await client.close()
            for act in (client.publish, client.publish_queued, client.push):
                try:
                    await act("news", "x")
                except petasus.ClosedError:
                    pass
        asyncio.run(main())
        for wrong in ["nonsense", "ftp://127.0.0.1", url + "/nowhere"]:
            try:
                petasus.sync.connect(wrong)
            except petasus.PetasusError:
                pass
        """,
        """
        import pickle
        client = petasus.sync.connect(url)
        try:
            pickle.dumps(client)
        except TypeError:
            pass
        threads = [petasus.sync.connect(url) for _ in range(20)]
        """,
        """
        import threading
        client = petasus.sync.connect(url)
        news = client.subscribe("news")
        threading.Thread(target=lambda: list(news), daemon=True).start()
        """,
    ],
    ids=["open", "deleted", "asyncio", "loop-ended", "bad-input", "many", "thread-waits"],
)
def test_nothing_hangs_or_warns_at_exit(program: str, broker: Broker) -> None:
    # A busy machine is slow, and the debug mode of asyncio says so.
    quiet = "import logging; logging.getLogger('asyncio').setLevel(logging.ERROR)"
    text = f"{quiet}\nimport asyncio, petasus, petasus.sync\nurl = {broker.url!r}\n" + textwrap.dedent(
        program
    )
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", text],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


async def test_a_client_is_not_pickled(connect: Any, broker: Broker) -> None:
    async with connect(broker.url) as client, client.subscribe("pickle") as messages:
        with pytest.raises(TypeError, match="pickled"):
            pickle.dumps(client if connect is petasus.connect else client._thing)
        await client.publish("pickle", "x")
        with pytest.raises(TypeError, match="pickled"):
            pickle.dumps(await messages.next(timeout=30))


def test_the_command_line_ends_quietly_when_nobody_reads(broker: Broker) -> None:
    command = [sys.executable, "-W", "error", "-m", "petasus", "sub", "wong", "--url", broker.url]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as listener:
        assert listener.stdout is not None
        assert listener.stderr is not None
        with petasus.sync.connect(broker.url) as client:
            stop = threading.Event()

            def publish() -> None:
                while not stop.wait(0.02):
                    client.publish("wong", "\x1b[2J\nwong: déjà vu")

            publishing = threading.Thread(target=publish)
            publishing.start()
            line = listener.stdout.readline()
            listener.stdout.close()
            status = listener.wait(30)
            stop.set()
            publishing.join()
        assert line == "wong: \\x1b[2J\\nwong: d\\xe9j\\xe0 vu\n"
        assert (status, listener.stderr.read()) == (0, "")


def test_an_error_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(petasus.TooLargeError("too large", "no")))
    assert (type(error), error.reason) == (petasus.TooLargeError, "too large")


def test_the_command_line_shows_what_is_published(broker: Broker) -> None:
    command = [sys.executable, "-m", "petasus"]
    with subprocess.Popen(
        [*command, "sub", "wong", "--url", broker.url], stdout=subprocess.PIPE, text=True
    ) as listener:
        assert listener.stdout is not None
        with petasus.sync.connect(broker.url) as client:
            # Until it is subscribed.
            stop = threading.Event()

            def publish() -> None:
                while not stop.wait(0.02):
                    client.publish("wong", "déjà vu")

            publishing = threading.Thread(target=publish)
            publishing.start()
            line = listener.stdout.readline()
            stop.set()
            publishing.join()
        listener.send_signal(signal.SIGINT)
        assert (line, listener.wait(30)) == ("wong: déjà vu\n", 130)
    done = subprocess.run(
        [*command, "pub", "a", "b", "--url", "nonsense"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "ws://HOST:PORT" in done.stderr
