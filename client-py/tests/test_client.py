"""The beginning and the end of a client, against every target."""

from __future__ import annotations

import petasus
from brokers import Site


async def test_what_waited_is_sent_before_the_client_has_drained(site: Site) -> None:
    topic = site.topic("drained")
    async with site.connect() as other, other.subscribe(topic) as messages:
        client = await site.connect()
        for number in range(100):
            await client.publish_queued(topic, str(number))
        await client.drain(10)
        assert client.status.state == "closed"
        numbers = [int((await messages.next(timeout=30)).text) for _ in range(100)]
        assert numbers == list(range(100))


async def test_statuses_are_told_to_the_end(site: Site) -> None:
    client = await site.connect()
    await client.connected(timeout=30)
    client.check()
    assert client.waiting == 0
    statuses = client.statuses() if site.is_asyncio else await client.statuses()
    states = []
    async for status in statuses:
        states.append(status.state)
        if status.state == "connected":
            await client.close()
    assert (states[0], states[-1]) == ("connected", "closed")


async def test_the_status_says_who_one_is(site: Site) -> None:
    async with site.connect() as client:
        status = client.status
        assert status.state == "connected"
        assert (status.session is None, status.realm == "") == (site.target.is_mercury,) * 2
    assert client.status == petasus.Status("closed")
