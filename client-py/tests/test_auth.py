"""Log-ins, origins and headers."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import petasus
import petasus.sync
from brokers import Broker

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
[[users]]
authid = "scram"
role = "all"
scram = {{ {scram} }}
[[rules]]
uri = ""
match = "prefix"
allow = ["subscribe", "publish", "call", "register"]
"""

MakeBroker = Callable[..., Broker]


def scram_keys(password: str) -> str:
    """What a broker keeps of a password (RFC 5802 3)."""
    salt, iterations = b"salt of the test", 4096
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).hexdigest()
    server = hmac.digest(salted, b"Server Key", "sha256").hex()
    encoded = base64.b64encode(salt).decode()
    return (
        f'salt = "{encoded}", kdf = "pbkdf2", iterations = {iterations}, '
        f'stored_key = "{stored}", server_key = "{server}"'
    )


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
        (petasus.Auth.scram("scram", "right"), petasus.Auth.scram("scram", "my guess")),
        (petasus.Auth.cryptosign("sign", bytes(32)), petasus.Auth.cryptosign("sign", bytes([1] * 32))),
        (
            petasus.Auth.custom("ticket", ["ticket"], lambda method, extra: "right"),
            petasus.Auth.custom("ticket", ["ticket"], lambda method, extra: 1 / 0),  # type: ignore[arg-type]
        ),
    ],
    ids=["ticket", "wampcra", "scram", "cryptosign", "custom"],
)
async def test_a_log_in_is_checked(
    connect: Any,
    right: petasus.Auth,
    wrong: petasus.Auth,
    make_broker: MakeBroker,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "access.toml").write_text(ACCESS.format(scram=scram_keys("right")))
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
