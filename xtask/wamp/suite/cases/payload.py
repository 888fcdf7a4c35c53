"""Payloads come out as they went in: WAMP 4.3 (the router does not look into them), and between serialisers."""

from autobahn.wamp.types import CallResult, PublishOptions

from ..registry import case, equal

ACK = PublishOptions(acknowledge=True)

# Everything that JSON, MessagePack and CBOR can all say.
EXACT = [
    [[1, 2]],
    [None],
    [[None, [None]], {}],
    [[], [[]], [[[]]]],
    [0, -1, 1, 255, 256, 65535, 65536, 2**31, 2**32, -(2**31) - 1, 2**53, -(2**53), 2**63 - 1, -(2**63), 2**64 - 1],
    [0.5, -1.5, 1e300, 1e-300, 0.1, 3.141592653589793],
    [1.0, -0.0, 100.0],
    [True, False],
    ["", "a", "Grüße", "日本語", "🦀", "\u0001\u001f\"\\/", "a" * 300, "\u2028\u2029"],
    [{"z": 1, "a": 2, "m": {"y": [1], "b": None}}],
    [{"": "empty key", "with.dot": 1, "with space": 2, "ключ": 3}],
    [[[[[[[[[["deep"]]]]]]]]]],
]


# REQ-WAMP-072
@case("payload.events", transports=("ws", "tcp"))
async def events(world):
    publisher, subscriber = await world.joins(2)
    heard = world.heard()
    await subscriber.subscribe(heard.note, world.uri())
    for args in EXACT:
        await publisher.publish(world.uri(), *args, options=ACK)
    await heard.reach(len(EXACT))
    for (args, kwargs, _), wanted in zip(heard, EXACT):
        equal((args, kwargs), (wanted, {}), "the event")


# REQ-WAMP-072, REQ-WAMP-040
@case("payload.calls")
async def calls(world):
    caller, callee = await world.joins(2)
    await callee.register(lambda *args, **kwargs: CallResult(list(args), kwargs, **kwargs), world.uri())
    for args in EXACT:
        answer = await caller.call(world.uri(), *args)
        equal((answer.results if hasattr(answer, "results") else answer), (args, {}), "the result")
    nested = {"a": {"b": [1, {"c": None}]}, "z": "ü", "m": [[1, 2]]}
    answer = await caller.call(world.uri(), **nested)
    equal(answer.results, ([], nested), "the arguments that the callee got")
    equal(answer.kwresults, nested, "the result by keyword")


# REQ-WAMP-073
@case("payload.between_serializers", each=False)
async def between(world):
    for sender in ("json", "msgpack", "cbor"):
        publisher = await world.join(serializer=sender)
        for receiver in ("json", "msgpack", "cbor"):
            subscriber, heard, topic = await world.join(serializer=receiver), world.heard(), world.uri(f"{sender}.{receiver}")
            await subscriber.subscribe(heard.note, topic)
            for args in EXACT:
                await publisher.publish(topic, *args, options=ACK, keyword=args)
            await heard.reach(len(EXACT))
            for (args, kwargs, _), wanted in zip(heard, EXACT):
                equal((args, kwargs), (wanted, {"keyword": wanted}), f"{sender} to {receiver}")


# REQ-WAMP-074
@case("payload.binary", each=False)
async def binary(world):
    blobs = [b"", b"\0", b"\xff\xfe\x00", bytes(range(256)), b"text"]
    for sender in ("json", "msgpack", "cbor"):
        publisher = await world.join(serializer=sender)
        for receiver in ("json", "msgpack", "cbor"):
            subscriber, heard, topic = await world.join(serializer=receiver), world.heard(), world.uri(f"{sender}.{receiver}")
            await subscriber.subscribe(heard.note, topic)
            await publisher.publish(topic, *blobs, options=ACK, nested={"deep": [blobs[3]]})
            await heard.reach(1)
            equal(heard[0][:2], (blobs, {"nested": {"deep": [blobs[3]]}}), f"{sender} to {receiver}")


# REQ-WAMP-074
@case("payload.binary_in_json_on_the_wire", each=False)
async def binary_on_the_wire(world):
    publisher, subscriber = await world.join(serializer="msgpack"), await world.wire("json")
    await subscriber.ask(32, {}, world.uri())
    await publisher.publish(world.uri(), b"\x10\x03\x3e\xb3", options=ACK)
    event = await subscriber.expect(36)
    # The example of WAMP, Binary support in JSON: NUL, then base64.
    equal(event[4], ["\0EAM+sw=="], "binary in JSON")


# REQ-WAMP-073
@case("payload.big_integers", each=False)
async def big(world):
    publisher, subscriber = await world.join(serializer="json"), await world.join(serializer="cbor")
    heard, same = world.heard(), world.heard()
    other = await world.join(serializer="json")
    await subscriber.subscribe(heard.note, world.uri())
    await other.subscribe(same.note, world.uri())
    numbers = [2**64, -(2**64), 10**30, -(10**30)]
    await publisher.publish(world.uri(), *numbers, options=ACK)
    await same.reach(1)
    equal(same[0][0], numbers, "json to json")
    await heard.reach(1)
    equal(heard[0][0], numbers, "json to cbor")


# REQ-WAMP-072
@case("payload.text_is_forwarded_digit_by_digit", each=False, petasus=True)
async def digits(world):
    publisher, subscriber = await world.wire(), await world.wire()
    await subscriber.ask(32, {}, world.uri())
    # Same serialiser: the router has no reason to look into the payload (WAMP, Payload Transparency).
    text = '[1.10,1E2,12345678901234567890123,"\\u00fc\\/"]'
    await publisher.raw(f'[16,1,{{"acknowledge":true}},"{world.uri()}",{text},{{"b":1,"a":2}}]')
    await publisher.expect(17)
    frame = await subscriber.socket.receive()
    equal(frame.data[frame.data.index(text[0:5]):] if text[:5] in frame.data else frame.data,
          f'{text},{{"b":1,"a":2}}]', "the payload on the wire")


# REQ-WAMP-002
@case("payload.absent_is_absent")
async def absent(world):
    publisher, subscriber = await world.wire(), await world.wire()
    await subscriber.ask(32, {}, world.uri())
    shapes = [((), [None, []]), (([],), [None, []]), (([], {}), [None, [], {}]), (([1],), [[1]]),
              (([], {"a": 1}), [[], {"a": 1}]), (([1], {"a": 1}), [[1], {"a": 1}])]
    for sent, allowed in shapes:
        await publisher.ask(16, {"acknowledge": True}, world.uri(), *sent, answer=17)
        event = await subscriber.expect(36)
        payload = event[4:]
        wanted = list(sent)
        while wanted and not wanted[-1]:
            wanted.pop()
        while payload and payload[-1] in ([], {}):
            payload.pop()
        equal(payload, wanted, f"the payload of an event published with {sent}")


# REQ-WAMP-002
@case("payload.null_is_tolerated", each=False, petasus=True)
async def null(world):
    publisher, subscriber = await world.wire(), await world.wire()
    await subscriber.ask(32, {}, world.uri())
    await publisher.ask(16, {"acknowledge": True}, world.uri(), None, {"a": 1}, answer=17)
    equal((await subscriber.expect(36))[4:], [[], {"a": 1}], "the payload of an event published with null arguments")


