"""paho-mqtt with its network thread, QoS 0."""

import threading
from urllib.parse import urlsplit

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from load import END, TOPIC, Load


def connect(url: str, on_message=None) -> Client:
    """Connected, and subscribed if messages are wanted."""
    there = threading.Event()
    client = Client(CallbackAPIVersion.VERSION2)
    if on_message is None:
        client.on_connect = lambda *_: there.set()
    else:
        client.on_message = on_message
        client.on_connect = lambda *_: client.subscribe(TOPIC, 0)
        client.on_subscribe = lambda *_: there.set()
    at = urlsplit(url)
    client.connect(at.hostname, at.port)
    client.loop_start()
    there.wait()
    return client


def close(client: Client) -> None:
    client.disconnect()
    client.loop_stop()


def publish(url: str, load: Load) -> None:
    client = connect(url)
    load.ready()
    for batch in load.batches(load.blobs):
        for blob in batch:
            last = client.publish(TOPIC, blob)
    last.wait_for_publish()
    load.flushed()
    close(client)


def listen(url: str, load: Load) -> tuple[Client, threading.Event]:
    ended = threading.Event()

    def take(client, userdata, message) -> None:
        if load.take(message.payload):
            ended.set()

    return connect(url, take), ended


def receive(url: str, load: Load) -> None:
    client, ended = listen(url, load)
    load.ready()
    ended.wait()
    close(client)


def both(url: str, load: Load) -> None:
    client, ended = listen(url, load)
    load.ready()
    for batch in load.batches(load.blobs):
        for blob in batch:
            client.publish(TOPIC, blob)
        load.wait_for_room()
    client.publish(TOPIC, END)
    ended.wait()
    close(client)
