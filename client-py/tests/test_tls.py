"""TLS is that of Python's `ssl`."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import petasus
from brokers import Broker

MakeBroker = Callable[..., Broker]


class Authority:
    """A certificate authority of our own, with a certificate for a name."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        root, leaf = ["-keyout", "ca.key", "-out", "ca.pem"], ["-keyout", "key.pem", "-out", "request.pem"]
        (folder / "names").write_text(
            f"subjectAltName={name}\nbasicConstraints=CA:FALSE\nauthorityKeyIdentifier=keyid\n"
        )
        # Python 3.13 wants to know what a key is for (RFC 5280 4.2.1.3).
        use = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
        self._openssl("req", "-x509", *key, "-subj", "/CN=an authority", *use, *root)
        self._openssl("req", *key, "-subj", "/CN=a broker", *leaf)
        sign = ["-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]
        self._openssl("x509", "-req", "-days", "2", *sign, "-extfile", "names", "-out", "cert.pem")
        self.query = f"?cert={folder / 'cert.pem'}&key={folder / 'key.pem'}"

    def _openssl(self, *arguments: str) -> None:
        try:
            subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=self.folder)
        except FileNotFoundError:
            pytest.skip("there is no openssl program to make a certificate with")

    @property
    def known(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.folder / "ca.pem"))


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "IP:127.0.0.1")


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One whose certificate is for another host."""
    return Authority(tmp_path_factory.mktemp("elsewhere"), "DNS:broker.example")


def secure_url(broker: Broker) -> str:
    return broker.url.replace("ws:", "wss:")


async def test_an_authority_of_ones_own_is_trusted_if_it_is_named(
    connect: Any, dialect: Any, authority: Authority, make_broker: MakeBroker
) -> None:
    url = secure_url(make_broker(scheme="https", query=authority.query))
    async with (
        connect(url, dialect=dialect, ssl=authority.known) as client,
        client.subscribe("secret") as messages,
    ):
        await client.publish("secret", "x" * 250_000)
        assert len((await messages.next(timeout=30)).text) == 250_000


async def test_an_unknown_authority_is_refused(
    connect: Any, dialect: Any, authority: Authority, make_broker: MakeBroker
) -> None:
    url = secure_url(make_broker(scheme="https", query=authority.query))
    with pytest.raises(petasus.GaveUpError) as raised:
        await connect(url, dialect=dialect)
    assert (raised.value.failure, raised.value.fault) == ("tls", "program")


async def test_a_certificate_for_another_name_is_refused(
    connect: Any, elsewhere: Authority, make_broker: MakeBroker
) -> None:
    url = secure_url(make_broker(scheme="https", query=elsewhere.query))
    with pytest.raises(petasus.GaveUpError, match=r"127\.0\.0\.1") as raised:
        await connect(url, ssl=elsewhere.known)
    assert (raised.value.failure, raised.value.fault) == ("tls", "program")


async def test_plain_text_and_tls_do_not_meet(
    connect: Any, broker: Broker, authority: Authority, make_broker: MakeBroker
) -> None:
    secure = make_broker(scheme="https", query=authority.query)
    with pytest.raises(petasus.GaveUpError) as raised:
        await connect(secure.url, fail_fast=True)
    assert raised.value.failure in ("not_websocket", "broken", "closed", "status")
    with pytest.raises(petasus.GaveUpError) as raised:
        await connect(secure_url(broker), fail_fast=True)
    assert raised.value.failure == "tls"
