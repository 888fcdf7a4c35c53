"""petasus.sync."""

import threading

from petasus.sync import connect

from load import END, TOPIC, Load

from .petasus_asyncio import options


def publish(url: str, load: Load, wire: str) -> None:
    with connect(url, **options(wire)) as client:
        load.ready()
        for batch in load.batches(load.texts):
            for text in batch:
                client.publish_queued(TOPIC, text)
        client.drain()
        load.flushed()


def receive(url: str, load: Load, wire: str) -> None:
    with connect(url, **options(wire)) as client, client.subscribe(TOPIC) as messages:
        load.ready()
        for message in messages:
            if load.take(message.text):
                break


def both(url: str, load: Load, wire: str) -> None:
    with connect(url, **options(wire)) as client, client.subscribe(TOPIC) as messages:
        load.ready()

        def listen() -> None:
            for message in messages:
                if load.take(message.text):
                    break

        listening = threading.Thread(target=listen)
        listening.start()
        for batch in load.batches(load.texts):
            for text in batch:
                client.publish_queued(TOPIC, text)
            load.wait_for_room()
        client.publish_queued(TOPIC, END)
        listening.join()
