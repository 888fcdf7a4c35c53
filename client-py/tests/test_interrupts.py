"""A wait of the synchronous client can be interrupted, at any moment."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from brokers import Broker


def ended(program: str, *flags: str) -> tuple[int, str, str]:
    """Runs it, and says how it ended, and what it said."""
    command = [sys.executable, *flags, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "waits",
    [
        "next(iter(client.subscribe('silence')))",
        "client.call('com.example.never')",
        "client.pull('silence').next()",
        "client.upload('com.example.never').finish(1)",
    ],
)
def test_a_blocking_call_can_be_interrupted(waits: str, broker: Broker) -> None:
    # When it waits, and once: the way out is not to be interrupted again.
    program = f"""
    import logging, petasus.sync, signal, sys, threading, time

    # It tells of turns that take long, as they do where many programs run.
    logging.getLogger("asyncio").setLevel(logging.ERROR)

    def interrupt():
        main = threading.main_thread().ident
        while not sys._current_frames()[main].f_code.co_filename.endswith("_portal.py"):
            time.sleep(0.001)
        signal.pthread_kill(main, signal.SIGINT)

    client = petasus.sync.connect({broker.url!r})
    calls = client.register("com.example.never")
    interrupting = threading.Thread(target=interrupt)
    try:
        interrupting.start()
        {waits}
    except KeyboardInterrupt:
        interrupting.join()
        client.publish("still", "sound")
        client.close()
        sys.exit(7)
    """
    assert ended(program, "-X", "dev", "-W", "error") == (7, "", "")


def test_interrupts_at_any_moment_leave_the_client_sound(broker: Broker) -> None:
    """A signal function that raises may raise anywhere, also where a lock was just taken."""
    program = f"""
    import petasus.sync, random, signal

    class Interrupt(Exception):
        pass

    armed = False

    def interrupt(*_):
        global armed
        if armed:
            armed = False
            raise Interrupt

    client = petasus.sync.connect({broker.url!r})
    messages = client.subscribe("storm")
    signal.signal(signal.SIGALRM, interrupt)
    for _ in range(2000):
        try:
            armed = True
            # On the way into the wait, which takes about so long; one that comes just before it sleeps is not heard.
            signal.setitimer(signal.ITIMER_REAL, random.uniform(0.00001, 0.0003), 0.005)
            messages.next(timeout=60)
        except Interrupt:
            pass
    signal.setitimer(signal.ITIMER_REAL, 0)
    client.publish("storm", "sound")
    print(messages.next(timeout=30).text)
    client.close()
    """
    # What is raised while something is forgotten is told on stderr, by the interpreter.
    status, said, complaints = ended(program)
    assert (status, said) == (0, "sound\n"), complaints
