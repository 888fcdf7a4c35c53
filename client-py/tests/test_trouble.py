"""What may go wrong: broken connections, cancellation, bad input, log-ins."""

from __future__ import annotations

import asyncio
import os
import pickle
import random
import signal
import socket
import ssl
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import petasus
import petasus.sync
from conftest import Broker, free_port

FAST = {"backoff": (0.02, 0.1)}

ACCESS = """
anonymous = ""
[[users]]
authid = "ticket"
role = "all"
ticket = "right"
[[users]]
authid = "cra"
role = "all"
secret = "right"
[[users]]
authid = "sign"
role = "all"
public_keys = ["3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"]
[[rules]]
uri = ""
match = "prefix"
allow = ["subscribe", "publish", "call", "register"]
"""

MakeBroker = Callable[..., Broker]


# Broken connections.


async def test_subscriptions_come_back_after_the_broker_was_killed(
    connect: Any, dialect: Any, make_broker: MakeBroker
) -> None:
    broker = make_broker()
    async with connect(broker.url, dialect=dialect, **FAST) as client, client.subscribe("news") as news:
        await client.publish("news", "before")
        assert not (await news.next(timeout=10)).gap
        broker.kill()
        while client.status.state == "connected":
            await asyncio.sleep(0.005)
        with pytest.raises(petasus.NotConnectedError):
            client.fire("news", "lost")
        broker.start()
        await client.connected(timeout=30)
        while news.resumed == 0:
            await asyncio.sleep(0.005)
        await client.publish("news", "after")
        message = await news.next(timeout=10)
        assert (message.text, message.gap, news.resumed) == ("after", True, 1)


async def test_what_is_queued_waits_for_the_broker(
    connect: Any, dialect: Any, make_broker: MakeBroker
) -> None:
    broker = make_broker()
    async with connect(broker.url, dialect=dialect, **FAST) as client:
        broker.kill()
        while client.status.state == "connected" and dialect == "wamp":
            await asyncio.sleep(0.005)
        broker.start()
        await client.publish("news", "acknowledged", timeout=30)
        await client.publish_queued("news", "queued")
        await client.drain(10)


async def test_a_call_that_was_sent_is_lost_with_the_connection(
    connect: Any, make_broker: MakeBroker
) -> None:
    broker = make_broker()
    async with connect(broker.url, **FAST) as client, client.register("com.example.never") as calls:
        called = asyncio.create_task(client.call("com.example.never"))
        call = await calls.next(timeout=10)
        broker.kill()
        with pytest.raises(petasus.LostError) as raised:
            await called
        assert raised.value.retry == "if_harmless"
        while not call.is_interrupted:
            await asyncio.sleep(0.005)
        with pytest.raises(petasus.StaleError):
            await call.reply()


async def test_a_client_without_a_broker_waits_for_one(
    connect: Any, dialect: Any, make_broker: MakeBroker
) -> None:
    broker = make_broker()
    broker.kill()
    async with connect(broker.url, dialect=dialect, within=0, **FAST) as client:
        with pytest.raises((TimeoutError, asyncio.TimeoutError)):
            await client.connected(timeout=0.05)
        # Over Mercury a POST may be under way, of which nobody knows whether it arrived.
        errors = (petasus.NotConnectedError,) if dialect == "wamp" else petasus.PetasusError
        with pytest.raises(errors) as raised:
            await client.publish("news", "nobody", timeout=0.05)
        assert raised.value.retry == "yes" or isinstance(raised.value, petasus.TimedOutError)
        broker.start()
        if dialect == "wamp":
            await client.connected(timeout=30)
        await client.publish("news", "somebody", timeout=30)


async def test_a_full_queue_waits_for_room(connect: Any, make_broker: MakeBroker) -> None:
    broker = make_broker()
    broker.kill()
    async with connect(broker.url, within=0, queue_bytes=1000, **FAST) as client:
        await client.publish_queued("news", "x" * 900)
        with pytest.raises(petasus.QueueFullError) as raised:
            await client.publish_queued("news", "x" * 900, timeout=0.05)
        assert raised.value.retry == "yes"
        assert client.waiting > 900
        waiting = asyncio.create_task(client.publish_queued("news", "x" * 900, timeout=30))
        broker.start()
        await waiting


# Cancellation.


async def test_random_cancellations_leave_the_client_sound(broker: Broker) -> None:
    """No answer ever reaches the wrong call, and nothing is left behind."""
    chance = random.Random(7)
    count = 1000

    async def echo(number: int) -> int:
        for _ in range(number % 4):
            await asyncio.sleep(0)
        return number

    async with petasus.connect(broker.url) as client, client.register("com.example.echo", echo):

        async def call(number: int) -> None:
            assert (await client.call("com.example.echo", number)).json() == number

        async def publish(number: int) -> None:
            await client.publish("cancel", number)

        async def subscribe(number: int) -> None:
            async with client.subscribe(f"cancel.{number}") as messages:
                await client.publish(f"cancel.{number}", number)
                assert (await messages.next(timeout=30)).json() == number

        async def push(number: int) -> None:
            async with client.pull(f"cancel-{number}") as jobs:
                assert await client.push(f"cancel-{number}", number) == "handed"
                async with await jobs.next(timeout=30) as job:
                    assert job.json() == number

        async def parts(number: int) -> None:
            assert (await client.call_progressive("com.example.echo", number)).json() == number

        async def register(number: int) -> None:
            async with client.register(f"com.example.cancel.{number}", echo):
                result = await client.call(f"com.example.cancel.{number}", number)
                assert result.json() == number

        canceled = 0
        acts = [call, call, publish, subscribe, push, parts, register]
        running: list[tuple[asyncio.Task[None], int]] = []
        started = 0
        while canceled < count or running:
            if canceled + len(running) < count + 50 and canceled < count:
                act = chance.choice(acts)
                running.append((asyncio.create_task(act(started)), chance.randrange(12)))
                started += 1
            still = []
            for task, turns in running:
                if task.done():
                    # What was not canceled went well.
                    if not task.cancelled():
                        task.result()
                elif turns == 0:
                    task.cancel()
                    canceled += 1
                    await asyncio.wait([task])
                    if not task.cancelled():
                        task.result()
                else:
                    still.append((task, turns - 1))
            running = still
            await asyncio.sleep(0)
        assert canceled >= count

        for number in range(100):
            assert (await client.call("com.example.echo", number)).json() == number
        driver = client._driver
        assert not driver.requests
        assert not driver.parts
        assert len(driver.standings) == 1
        await client.drain(10)
        assert not driver.asked


async def test_a_canceled_call_is_stopped_at_its_callee(broker: Broker) -> None:
    stopped = asyncio.Event()

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            stopped.set()
            raise

    async with petasus.connect(broker.url) as client, client.register("com.example.endless", endless):
        called = asyncio.create_task(client.call("com.example.endless"))
        await client.publish("anything", "a round trip")
        called.cancel()
        await stopped.wait()


# Bad input.


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("localhost:3000", "ws://HOST:PORT"),
        ("ftp://localhost", "ws://HOST:PORT"),
        ("ws://joe:secret@localhost", "log-in"),
        ("ws://ä", "percent-encode"),
    ],
)
async def test_a_wrong_url_says_what_to_write(connect: Any, url: str, hint: str) -> None:
    with pytest.raises(petasus.UrlError, match=hint):
        await connect(url)


async def test_nobody_there_is_said_in_time(connect: Any, dialect: Any) -> None:
    with pytest.raises(petasus.GaveUpError, match="nothing listens") as raised:
        await connect(f"ws://127.0.0.1:{free_port()}", dialect=dialect, within=0.2, **FAST)
    assert (raised.value.failure, raised.value.fault) == ("unreachable", "network")
    with pytest.raises(petasus.GaveUpError, match="nothing listens"):
        await connect(f"ws://127.0.0.1:{free_port()}", dialect=dialect, fail_fast=True)


async def test_a_server_that_says_nothing_is_given_up(connect: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"ws://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(petasus.GaveUpError) as raised:
            await connect(url, within=0.2)
        assert raised.value.failure == "connect_timed_out"


async def test_what_is_no_websocket_is_said(connect: Any, broker: Broker) -> None:
    with pytest.raises(petasus.GaveUpError) as raised:
        await connect(broker.url + "/nowhere")
    assert (raised.value.failure, raised.value.fault) == ("status", "program")


async def test_a_refused_origin_is_said(connect: Any, make_broker: MakeBroker) -> None:
    broker = make_broker("--allow-origin", "example.com")
    with pytest.raises(petasus.GaveUpError) as raised:
        await connect(broker.url, origin="https://example.org")
    assert raised.value.failure == "status"
    async with connect(broker.url, origin="https://example.com") as client:
        await client.publish("news", "let in")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (petasus.Auth.ticket("ticket", "right"), petasus.Auth.ticket("ticket", "my guess")),
        (petasus.Auth.wampcra("cra", "right"), petasus.Auth.wampcra("cra", "my guess")),
        (petasus.Auth.cryptosign("sign", bytes(32)), petasus.Auth.cryptosign("sign", bytes([1] * 32))),
        (
            petasus.Auth.custom("ticket", ["ticket"], lambda method, extra: "right"),
            petasus.Auth.custom("ticket", ["ticket"], lambda method, extra: 1 / 0),  # type: ignore[arg-type]
        ),
    ],
    ids=["ticket", "wampcra", "cryptosign", "custom"],
)
async def test_a_log_in_is_checked(
    connect: Any,
    right: petasus.Auth,
    wrong: petasus.Auth,
    make_broker: MakeBroker,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "access.toml").write_text(ACCESS)
    broker = make_broker(config='[auth]\naccess = "access.toml"\n')
    async with connect(broker.url, auth=right) as client:
        assert client.status.authrole == "all"
    for auth in ({"auth": wrong}, {}):
        with pytest.raises(petasus.GaveUpError) as raised:
            await connect(broker.url, **auth)
        assert raised.value.failure in ("aborted", "challenge")
        assert "guess" not in str(raised.value)
        assert "guess" not in caplog.text


async def test_headers_are_asked_for_anew(connect: Any, broker: Broker) -> None:
    asked = []

    def headers() -> dict[str, str]:
        asked.append(1)
        return {"Authorization": "Bearer x"}

    async with connect(broker.url, headers=headers) as client:
        assert client.status.state == "connected"
    assert len(asked) == 1
    with pytest.raises(petasus.GaveUpError, match="written by the client itself"):
        await connect(broker.url, headers={"Host": "x"}, within=1)


async def test_what_can_not_be_sent_is_said_at_once(connect: Any, dialect: Any, broker: Broker) -> None:
    endless: list[Any] = []
    endless.append(endless)
    async with connect(broker.url, dialect=dialect, message_bytes=1000) as client:
        for content, error in [
            (object(), petasus.ContentError),
            ({1: 2}, petasus.ContentError),
            (endless, petasus.ContentError),
            ("\ud800", petasus.ContentError),
            (10**60, petasus.ContentError),
            ("x" * 2000, petasus.TooLargeError),
        ]:
            with pytest.raises(error):
                await client.publish("news", content)
        for topic in ["a/b.c", "x" * 2000, "/".join("x" * 100)]:
            with pytest.raises(petasus.TopicError):
                await client.publish(topic, "x")
            with pytest.raises(petasus.TopicError):
                await client.subscribe(topic)
        await client.publish("news", "still here")


async def test_wrong_options_are_said(connect: Any, broker: Broker) -> None:
    for wrong in [{"dialect": "morse"}, {"serializers": []}, {"request_timeout": -1}, {"colour": "red"}]:
        with pytest.raises(petasus.SettingError):
            await connect(broker.url, **wrong)


async def test_after_the_end_everything_is_refused(connect: Any, dialect: Any, broker: Broker) -> None:
    client = await connect(broker.url, dialect=dialect)
    messages = await client.subscribe("news")
    await client.close()
    await client.close()
    with pytest.raises(petasus.ClosedError):
        await client.publish("news", "too late")
    with pytest.raises(petasus.ClosedError):
        client.fire("news", "too late")
    with pytest.raises(petasus.ClosedError):
        await client.publish_queued("news", "too late")
    with pytest.raises(petasus.ClosedError):
        await client.subscribe("news")
    with pytest.raises(petasus.ClosedError):
        await client.push("news", "too late")
    with pytest.raises(petasus.ClosedError):
        await client.connected(timeout=1)
    with pytest.raises(StopAsyncIteration):
        await messages.next(timeout=10)
    await messages.unsubscribe()


def test_a_closed_loop_is_said(broker: Broker) -> None:
    async def make() -> petasus.Client:
        client = await petasus.connect(broker.url)
        await client.close()
        return client

    client = asyncio.run(make())
    with pytest.raises(petasus.ClosedError):
        client.fire("news", "too late")


async def test_a_client_is_not_pickled(connect: Any, broker: Broker) -> None:
    async with connect(broker.url) as client, client.subscribe("pickle") as messages:
        with pytest.raises(TypeError, match="pickled"):
            pickle.dumps(client if connect is petasus.connect else client._thing)
        await client.publish("pickle", "x")
        with pytest.raises(TypeError, match="pickled"):
            pickle.dumps(await messages.next(timeout=10))


def test_an_error_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(petasus.TooLargeError("too large", "no")))
    assert (type(error), error.reason) == (petasus.TooLargeError, "too large")


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
    ],
)
def test_nothing_hangs_or_warns_at_exit(program: str, broker: Broker) -> None:
    text = f"import asyncio, petasus, petasus.sync\nurl = {broker.url!r}\n" + textwrap.dedent(program)
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", text],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# TLS.


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a certificate for 127.0.0.1 that nobody knows, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    extension = "subjectAltName=IP:127.0.0.1"
    files = ["-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-addext", extension]
    try:
        subprocess.run([*command.split(), *files], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("there is no openssl program to make a certificate with")
    return folder


async def test_tls_is_that_of_python(
    connect: Any, dialect: Any, certificate: Path, make_broker: MakeBroker
) -> None:
    query = f"?cert={certificate / 'cert.pem'}&key={certificate / 'key.pem'}"
    broker = make_broker(scheme="https", query=query)
    url = broker.url.replace("ws:", "wss:")
    known = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
    async with (
        connect(url, dialect=dialect, ssl=known) as client,
        client.subscribe("secret") as messages,
    ):
        await client.publish("secret", "x" * 250_000)
        assert len((await messages.next(timeout=30)).text) == 250_000
    if dialect == "wamp":
        with pytest.raises(petasus.GaveUpError) as raised:
            await connect(url)
        assert (raised.value.failure, raised.value.fault) == ("tls", "program")
        with pytest.raises(petasus.GaveUpError) as raised:
            await connect(broker.url, fail_fast=True)
        assert raised.value.failure in ("not_websocket", "broken", "closed", "status")


# The command line.


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
