"""Testaments: what a session leaves behind."""

from ..registry import case, equal
from ..world import flush


async def ready(world):
    watcher, mortal = await world.joins(2)
    heard = world.heard()
    await watcher.subscribe(heard.note, world.uri())
    return watcher, mortal, heard


# REQ-WAMP-034
@case("testament.published_when_the_session_dies", transports=("ws", "tcp", "unix"))
async def dies(world):
    _, mortal, heard = await ready(world)
    await mortal.call("wamp.session.add_testament", world.uri(), ["gone", [1]], {"why": {"a": None}})
    mortal.drop()
    await heard.reach(1)
    equal(heard[0][:2], (["gone", [1]], {"why": {"a": None}}), "the testament")


# REQ-WAMP-034
@case("testament.published_when_the_session_leaves", each=False)
async def leaves(world):
    _, mortal, heard = await ready(world)
    await mortal.call("wamp.session.add_testament", world.uri(), ["gone"], {})
    await mortal.end()
    await heard.reach(1)
    equal(heard.args(), [["gone"]], "the testament")


# REQ-WAMP-034
@case("testament.scope_detached", each=False)
async def detached(world):
    _, mortal, heard = await ready(world)
    await mortal.call("wamp.session.add_testament", world.uri(), ["detached"], {}, scope="detached")
    await mortal.end()
    await heard.reach(1)
    equal(heard.args(), [["detached"]], "the testament")


# REQ-WAMP-034
@case("testament.several_in_order", each=False)
async def several(world):
    _, mortal, heard = await ready(world)
    for number in range(3):
        await mortal.call("wamp.session.add_testament", world.uri(), [number], {})
    mortal.drop()
    await heard.reach(3)
    equal(heard.args(), [[0], [1], [2]], "the testaments")


# REQ-WAMP-034
@case("testament.flushed", each=False)
async def flushed(world):
    watcher, mortal, heard = await ready(world)
    await mortal.call("wamp.session.add_testament", world.uri(), ["never"], {})
    count = await mortal.call("wamp.session.flush_testaments")
    await mortal.call("wamp.session.add_testament", world.uri(), ["last"], {})
    await mortal.end()
    await heard.reach(1)
    await flush(watcher, watcher)
    equal(heard.args(), [["last"]], "the testaments")
    equal(count, 1, "the answer of flush_testaments")


# REQ-WAMP-034
@case("testament.with_options", each=False)
async def options(world):
    watcher, mortal, heard = await ready(world)
    other = await world.join()
    there = world.heard()
    await other.subscribe(there.note, world.uri())
    await mortal.call("wamp.session.add_testament", world.uri(), ["for one"], {},
                      publish_options={"eligible": [watcher.details.session]})
    await mortal.end()
    await heard.reach(1)
    await flush(watcher, watcher, other)
    equal((heard.args(), there.args()), ([["for one"]], []), "who hears the testament")
