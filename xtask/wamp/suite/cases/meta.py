"""The meta API: sessions, subscriptions, registrations; procedures and events."""

from autobahn.wamp.types import PublishOptions, RegisterOptions, SubscribeOptions

from .. import fixtures
from ..client import refused
from ..registry import case, equal, holds

PREFIX, WILDCARD = SubscribeOptions(match="prefix"), SubscribeOptions(match="wildcard")


# REQ-WAMP-031
@case("meta.session_count_and_list")
async def count(world):
    one, two = await world.joins(2)
    listed = await one.call("wamp.session.list")
    ids = {one.details.session, two.details.session}
    holds(ids <= set(listed), f"{ids} are not all in {listed}")
    equal(await one.call("wamp.session.count"), len(listed), "the count beside the list")


# REQ-WAMP-031
@case("meta.session_count_by_role", each=False)
async def by_role(world):
    one, tina = await world.join(), await world.join(**fixtures.ticket())
    listed = await one.call("wamp.session.list", ["user"])
    holds(tina.details.session in listed and one.details.session not in listed, f"users are {listed}")
    equal(await one.call("wamp.session.count", ["user"]), len(listed), "the count of users")
    equal(await one.call("wamp.session.list", ["no such role"]), [], "the sessions of a role that nobody has")


# REQ-WAMP-031
@case("meta.session_get")
async def get(world):
    one, tina = await world.join(), await world.join(**fixtures.ticket())
    found = await one.call("wamp.session.get", tina.details.session)
    wanted = {"session": tina.details.session, "authid": "tina", "authrole": "user", "authmethod": "ticket"}
    equal({key: found.get(key) for key in wanted}, wanted, "wamp.session.get")
    holds("authprovider" in found and "transport" in found, f"authprovider or transport is missing: {sorted(found)}")
    await refused(one.call("wamp.session.get", 4711), "wamp.error.no_such_session")


# REQ-WAMP-033
@case("meta.session_kill")
async def kill(world):
    one, two = await world.joins(2)
    left = world.heard()
    await one.subscribe(left.note, "wamp.session.on_leave")
    await one.call("wamp.session.kill", two.details.session, reason="com.example.killed", message="begone")
    details = await two.left
    equal((details.reason, details.message), ("com.example.killed", "begone"), "GOODBYE to the killed session")
    while two.details.session not in [args[0] for args in left.args()]:
        await left.reach(len(left) + 1)
    await refused(one.call("wamp.session.kill", two.details.session), "wamp.error.no_such_session")


# REQ-WAMP-033
@case("meta.session_kill_without_reason", each=False)
async def kill_plain(world):
    one, two = await world.join(), await world.wire()
    await one.call("wamp.session.kill", two.welcome[1])
    goodbye = await two.expect(6)
    # WAMP, Session Meta API: the reason defaults to wamp.close.normal.
    equal(goodbye[2], "wamp.close.normal", "the reason of GOODBYE")


# REQ-WAMP-033
@case("meta.session_kill_oneself_is_refused", each=False)
async def kill_self(world):
    one = await world.join()
    await refused(one.call("wamp.session.kill", one.details.session), "wamp.error.no_such_session")


# REQ-WAMP-033
@case("meta.session_kill_by_authid", each=False)
async def kill_authid(world):
    one, tina, again = await world.join(), await world.join(**fixtures.ticket()), await world.join(**fixtures.ticket())
    found = await one.call("wamp.session.kill_by_authid", "tina")
    await tina.left, await again.left
    ids = sorted([tina.details.session, again.details.session])
    equal(sorted(found) if isinstance(found, list) else found, ids, "the answer: the killed sessions")


# REQ-WAMP-033
@case("meta.session_kill_by_authrole", each=False)
async def kill_role(world):
    one, tina, carl = await world.join(), await world.join(**fixtures.ticket()), await world.join(**fixtures.cra())
    found = await one.call("wamp.session.kill_by_authrole", "user")
    await tina.left, await carl.left
    equal(found, 2, "the answer: how many were killed")


# REQ-WAMP-032
@case("meta.session_events")
async def session_events(world):
    watcher = await world.join()
    joins, leaves = world.heard(), world.heard()
    await watcher.subscribe(joins.note, "wamp.session.on_join")
    await watcher.subscribe(leaves.note, "wamp.session.on_leave")
    tina = await world.join(**fixtures.ticket())
    await joins.reach(1)
    mine = [args[0] for args in joins.args() if args[0]["session"] == tina.details.session]
    wanted = {"authid": "tina", "authrole": "user", "authmethod": "ticket"}
    equal([{key: one.get(key) for key in wanted} for one in mine], [wanted], "wamp.session.on_join")
    tina.drop()
    await leaves.reach(1)
    equal([args[:3] for args in leaves.args() if args[0] == tina.details.session],
          [[tina.details.session, "tina", "user"]], "wamp.session.on_leave")


# REQ-WAMP-028
@case("meta.subscription_procedures")
async def subscriptions(world):
    one, two = await world.joins(2)
    exact = await one.subscribe(lambda: None, world.uri("a"))
    await two.subscribe(lambda: None, world.uri("a"))
    prefix = await one.subscribe(lambda: None, world.uri(), PREFIX)
    wildcard = await one.subscribe(lambda: None, f"{world.base}.", WILDCARD)
    equal(await one.call("wamp.subscription.lookup", world.uri("a")), exact.id, "lookup of the exact one")
    equal(await one.call("wamp.subscription.lookup", world.uri(), {"match": "prefix"}), prefix.id, "lookup of the prefix")
    equal(await one.call("wamp.subscription.lookup", world.uri("nothing")), None, "lookup of none")
    found = await one.call("wamp.subscription.match", world.uri("a"))
    equal(sorted(found), sorted([exact.id, prefix.id, wildcard.id]), "match")
    about = await one.call("wamp.subscription.get", exact.id)
    equal({key: about.get(key) for key in ("id", "uri", "match")},
          {"id": exact.id, "uri": world.uri("a"), "match": "exact"}, "get")
    equal(sorted(await one.call("wamp.subscription.list_subscribers", exact.id)),
          sorted([one.details.session, two.details.session]), "list_subscribers")
    equal(await one.call("wamp.subscription.count_subscribers", exact.id), 2, "count_subscribers")
    for name in ("get", "list_subscribers", "count_subscribers"):
        await refused(one.call(f"wamp.subscription.{name}", 4711), "wamp.error.no_such_subscription")


# REQ-WAMP-028
@case("meta.subscription_list")
async def subscription_list(world):
    one = await world.join()
    wanted = {
        "exact": (await one.subscribe(lambda: None, world.uri("a"))).id,
        "prefix": (await one.subscribe(lambda: None, world.uri(), PREFIX)).id,
        "wildcard": (await one.subscribe(lambda: None, f"{world.base}.", WILDCARD)).id,
    }
    listed = await one.call("wamp.subscription.list")
    missing = [kind for kind, subscription in wanted.items() if subscription not in listed[kind]]
    equal(missing, [], "the kinds whose subscription is not listed")


# REQ-WAMP-028
@case("meta.subscription_created_has_a_time", each=False)
async def created(world):
    from datetime import datetime

    one = await world.join()
    subscription = await one.subscribe(lambda: None, world.uri())
    about = await one.call("wamp.subscription.get", subscription.id)
    datetime.fromisoformat(about["created"].replace("Z", "+00:00"))


# REQ-WAMP-028
@case("meta.subscription_match_of_none", each=False)
async def match_none(world):
    one = await world.join()
    found = await one.call("wamp.subscription.match", world.uri("nothing"))
    holds(found in (None, []), f"match of no subscription is {found}")


async def events_of(world, watcher, kind, names):
    heard = world.heard()
    for name in names:
        await watcher.subscribe(lambda *args, name=name: heard.add((name, list(args))), f"wamp.{kind}.{name}")
    return heard


def of(heard, session):
    """The events that are about a session: (name, arguments after it)."""
    return [(name, args[1:]) for name, args in heard if args and args[0] == session]


# REQ-WAMP-029
@case("meta.subscription_events")
async def subscription_events(world):
    watcher, one, two = await world.joins(3)
    heard = await events_of(world, watcher, "subscription", ["on_create", "on_subscribe", "on_unsubscribe", "on_delete"])
    subscription = await one.subscribe(lambda: None, world.uri(), PREFIX)
    second = await two.subscribe(lambda: None, world.uri(), PREFIX)
    await subscription.unsubscribe()
    await second.unsubscribe()
    await heard.reach(6)
    a, b = one.details.session, two.details.session
    mine, theirs = of(heard, a), of(heard, b)
    equal([name for name, _ in mine], ["on_create", "on_subscribe", "on_unsubscribe"], "the events of the first")
    equal([name for name, _ in theirs], ["on_subscribe", "on_unsubscribe", "on_delete"], "the events of the second")
    about = mine[0][1][0]
    equal((about["id"], about["uri"], about["match"]), (subscription.id, world.uri(), "prefix"), "on_create")
    equal([args for _, args in mine[1:] + theirs], [[subscription.id]] * 5, "the subscription of the other events")


# REQ-WAMP-053
@case("meta.registration_procedures")
async def registrations(world):
    one, two = await world.joins(2)
    shared = RegisterOptions(invoke="roundrobin")
    exact = await one.register(lambda: 1, world.uri("a"), shared)
    await two.register(lambda: 2, world.uri("a"), shared)
    prefix = await one.register(lambda: 1, world.uri(), RegisterOptions(match="prefix"))
    wildcard = await one.register(lambda: 1, f"{world.base}.", RegisterOptions(match="wildcard"))
    listed = await one.call("wamp.registration.list")
    for kind, registration in (("exact", exact), ("prefix", prefix), ("wildcard", wildcard)):
        holds(registration.id in listed[kind], f"{kind} {registration.id} is not in {listed}")
    equal(await one.call("wamp.registration.lookup", world.uri("a")), exact.id, "lookup of the exact one")
    equal(await one.call("wamp.registration.lookup", world.uri(), {"match": "prefix"}), prefix.id, "lookup of the prefix")
    equal(await one.call("wamp.registration.lookup", world.uri("nothing")), None, "lookup of none")
    equal(await one.call("wamp.registration.match", world.uri("a")), exact.id, "match of the exact one")
    equal(await one.call("wamp.registration.match", world.uri("b")), prefix.id, "match of the prefix")
    about = await one.call("wamp.registration.get", exact.id)
    wanted = {"id": exact.id, "uri": world.uri("a"), "match": "exact", "invoke": "roundrobin"}
    equal({key: about.get(key) for key in wanted}, wanted, "get")
    equal(sorted(await one.call("wamp.registration.list_callees", exact.id)),
          sorted([one.details.session, two.details.session]), "list_callees")
    equal(await one.call("wamp.registration.count_callees", exact.id), 2, "count_callees")
    for name in ("get", "list_callees", "count_callees"):
        await refused(one.call(f"wamp.registration.{name}", 4711), "wamp.error.no_such_registration")


# REQ-WAMP-054
@case("meta.registration_events")
async def registration_events(world):
    watcher, one, two = await world.joins(3)
    heard = await events_of(world, watcher, "registration", ["on_create", "on_register", "on_unregister", "on_delete"])
    shared = RegisterOptions(invoke="roundrobin")
    registration = await one.register(lambda: 1, world.uri(), shared)
    second = await two.register(lambda: 2, world.uri(), shared)
    await registration.unregister()
    await second.unregister()
    await heard.reach(6)
    mine, theirs = of(heard, one.details.session), of(heard, two.details.session)
    equal([name for name, _ in mine], ["on_create", "on_register", "on_unregister"], "the events of the first")
    equal([name for name, _ in theirs], ["on_register", "on_unregister", "on_delete"], "the events of the second")
    about = mine[0][1][0]
    wanted = (registration.id, world.uri(), "exact", "roundrobin")
    equal((about["id"], about["uri"], about["match"], about["invoke"]), wanted, "on_create")


# REQ-WAMP-029, REQ-WAMP-054
@case("meta.events_of_a_session_that_dies", each=False)
async def events_at_the_end(world):
    watcher, mortal = await world.joins(2)
    subscriptions = await events_of(world, watcher, "subscription", ["on_unsubscribe", "on_delete"])
    registrations = await events_of(world, watcher, "registration", ["on_unregister", "on_delete"])
    session = mortal.details.session
    subscription = await mortal.subscribe(lambda: None, world.uri())
    registration = await mortal.register(lambda: 1, world.uri())
    mortal.drop()
    await subscriptions.reach(2)
    await registrations.reach(2)
    equal(list(subscriptions), [("on_unsubscribe", [session, subscription.id]), ("on_delete", [session, subscription.id])],
          "the events of subscriptions")
    equal(list(registrations), [("on_unregister", [session, registration.id]), ("on_delete", [session, registration.id])],
          "the events of registrations")


# REQ-WAMP-055
@case("meta.revoke_a_registration", each=False)
async def revoke(world):
    admin, callee = await world.join(), await world.wire()
    registration = (await callee.ask(64, {}, world.uri()))[2]
    await admin.call("wamp.registration.remove_callee", registration, callee.welcome[1], reason="com.example.why")
    revoked = await callee.expect(67)
    equal((revoked[1], revoked[2]["registration"], revoked[2]["reason"]), (0, registration, "com.example.why"), "UNREGISTERED")
    await refused(admin.call(world.uri()), "wamp.error.no_such_procedure")


# REQ-WAMP-030
@case("meta.revoke_a_subscription", each=False)
async def revoke_subscription(world):
    admin, subscriber = await world.join(), await world.wire()
    subscription = (await subscriber.ask(32, {}, world.uri()))[2]
    await admin.call("wamp.subscription.remove_subscriber", subscription, subscriber.welcome[1], reason="com.example.why")
    revoked = await subscriber.expect(35)
    equal((revoked[1], revoked[2]["subscription"], revoked[2]["reason"]), (0, subscription, "com.example.why"), "UNSUBSCRIBED")
    await admin.publish(world.uri(), options=PublishOptions(acknowledge=True))
    await subscriber.ask(32, {}, world.uri("next"))
