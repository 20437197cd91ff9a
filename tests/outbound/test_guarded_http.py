"""Outgoing HTTP, abuse class 13: what is connected to was checked, and no answer costs more than its caps."""

import asyncio
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from idp.outbound import addresses
from idp.outbound.addresses import CheckedAddresses, OutboundRefusedError, is_public
from idp.outbound.guarded_http import LARGEST_ANSWER, TIMEOUT_SECONDS, GuardedHTTP
from idp.outbound.kept_connections import LARGEST_RECEIPT
from tests.support.receiver import Receiver, receiver

pytestmark = pytest.mark.anyio


@pytest.fixture
async def http(anyio_backend: str) -> AsyncIterator[GuardedHTTP]:
    opened = GuardedHTTP(allow_loopback=True)
    yield opened
    await opened.close()


@pytest.fixture
async def hook(anyio_backend: str) -> AsyncIterator[Receiver]:
    async with receiver() as listening:
        yield listening


async def test_a_form_arrives_as_it_was_given(http: GuardedHTTP, hook: Receiver) -> None:
    form = {"logout_token": "a.b.c", "tên": "Lan & Hòa"}
    assert await http.post_form(hook.uri, form) == 200
    (request,) = hook.received
    assert (request.method, request.path) == ("POST", "/hook")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.form == {"logout_token": ["a.b.c"], "tên": ["Lan & Hòa"]}


async def test_a_json_document_arrives_with_the_headers_that_were_given(
    http: GuardedHTTP, hook: Receiver
) -> None:
    hook.status = "204 No Content"
    assert await http.post_json(hook.uri, {"auth_req_id": "1"}, {"Authorization": "Bearer secret"}) == 204
    (request,) = hook.received
    assert request.headers["authorization"] == "Bearer secret"
    assert request.headers["content-type"] == "application/json"
    assert request.body == b'{"auth_req_id":"1"}'


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_cve_2026_4366_a_redirect_is_an_answer_and_is_not_followed(
    http: GuardedHTTP, hook: Receiver, status: int
) -> None:
    async with receiver() as elsewhere:
        hook.status, hook.headers = f"{status} Elsewhere", {"Location": elsewhere.uri}
        assert await http.post_form(hook.uri, {}) == status
        with pytest.raises(OutboundRefusedError, match="redirects are not followed"):
            await http.get_json(hook.uri)
        assert elsewhere.received == []


async def test_a_silent_receiver_costs_a_moment(http: GuardedHTTP, hook: Receiver) -> None:
    hook.pause = 30
    began = time.monotonic()
    with pytest.raises(OutboundRefusedError, match="no answer within"):
        await http.post_form(hook.uri, {})
    assert time.monotonic() - began < TIMEOUT_SECONDS + 2


async def test_a_body_that_drips_does_not_hold_the_caller(http: GuardedHTTP, hook: Receiver) -> None:
    hook.body, hook.pause_in_body = b"x" * 1000, 0.2
    with pytest.raises(OutboundRefusedError, match="no answer within"):
        await http.post_form(hook.uri, {})


async def test_a_giant_answer_is_not_read(http: GuardedHTTP, hook: Receiver) -> None:
    """Hydra aa1ee2987: the answer to a delivery is of no interest, that of a document has a cap."""
    hook.body, hook.headers = b" " * (LARGEST_ANSWER + 1), {"Content-Type": "application/json"}
    with pytest.raises(OutboundRefusedError, match="too large"):
        await http.get_json(hook.uri)
    hook.body = b" " * (100 * LARGEST_RECEIPT)
    assert await http.post_form(hook.uri, {}) == 200


@pytest.mark.parametrize("status", ["nonsense", "200"])
async def test_what_is_no_http_is_a_failed_call(http: GuardedHTTP, hook: Receiver, status: str) -> None:
    hook.status, hook.headers = status, {"Content-Length": "many"}
    with pytest.raises(OutboundRefusedError, match="the call failed"):
        await http.post_form(hook.uri, {})


async def test_nobody_there_is_a_failed_call(http: GuardedHTTP, hook: Receiver) -> None:
    async with receiver() as gone:
        uri = gone.uri
    with pytest.raises(OutboundRefusedError, match="the call failed: ConnectionRefusedError"):
        await http.post_form(uri, {})


async def test_cve_2026_55671_a_name_that_changes_its_mind_is_resolved_once(
    monkeypatch: pytest.MonkeyPatch, hook: Receiver
) -> None:
    """DNS rebinding: public when it is checked, inner when it is called. There is no second look-up."""
    asked: list[str] = []

    def rebinding(host: str, port: int, **_: object) -> list[Any]:
        asked.append(host)
        address = "203.0.113.9" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    public = ipaddress.ip_network("203.0.113.0/24")
    monkeypatch.setattr(addresses, "is_public", lambda address: address in public)
    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    guarded = CheckedAddresses(allow_loopback=False)
    assert await guarded.find("rebind.example", 443) == ["203.0.113.9"]
    assert asked == ["rebind.example"]
    with pytest.raises(OutboundRefusedError, match="not public"):
        await guarded.find("rebind.example", 443)
    guarded.close()
    http = GuardedHTTP(allow_loopback=False)
    port = hook.uri.rpartition(":")[2].partition("/")[0]
    with pytest.raises(OutboundRefusedError, match="not public"):
        await http.post_form(f"https://rebind.example:{port}/", {})
    await http.close()
    assert hook.received == []


async def test_a_name_is_reached_at_whichever_of_its_addresses_somebody_listens(
    monkeypatch: pytest.MonkeyPatch, http: GuardedHTTP, hook: Receiver
) -> None:
    """As where a receiver has an address of each family, and listens at one of them."""
    two = [ipaddress.ip_address(text) for text in ("127.0.0.9", "127.0.0.1")]
    monkeypatch.setattr(addresses, "_look_up", lambda *_: two)
    assert await http.post_form(hook.uri.replace("127.0.0.1", "localhost"), {}) == 200
    assert len(hook.received) == 1


async def test_one_inner_address_among_public_ones_refuses_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    guarded = CheckedAddresses(allow_loopback=True)
    with pytest.raises(OutboundRefusedError, match="not public"):
        await guarded.find("both.example", 443)
    guarded.close()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.216.34", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("ff0e::1", False),
        ("0.0.0.0", False),
        ("255.255.255.255", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::a00:1", False),
        ("64:ff9b::5db8:d822", True),
        ("2002:0a00:0001::1", False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),
    ],
)
async def test_an_inner_address_is_known_in_every_disguise(address: str, *, expected: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is expected


async def test_calls_of_one_silent_name_share_one_look_up_and_giving_up_frees_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, may_answer = [], threading.Event()

    def slow(host: str, port: int, **_: object) -> list[Any]:
        asked.append(host)
        may_answer.wait(10)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", port))]

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    guarded = CheckedAddresses(allow_loopback=False)
    waiting = [asyncio.create_task(guarded.find("slow.example", 443)) for _ in range(50)]
    await asyncio.sleep(0.1)
    waiting[0].cancel()
    may_answer.set()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == [["93.184.216.34"]] * 49
    assert asked == ["slow.example"]
    guarded.close()


async def test_a_host_that_cannot_be_one_is_refused(http: GuardedHTTP) -> None:
    for uri in ("https://" + "a" * 300 + ".example/", "https://no-such-name.invalid/", "https:///nothing"):
        with pytest.raises(OutboundRefusedError):
            await http.post_form(uri, {})


def _authority(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Make a certificate for localhost that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    authority, private = folder / "ca.pem", folder / "key.pem"
    authority.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(authority, private)
    return authority, tls


async def test_a_certificate_is_verified_and_an_authority_of_ones_own_can_be_added(tmp_path: Path) -> None:
    authority, tls = _authority(tmp_path)
    async with receiver(tls=tls) as hook:
        strict = GuardedHTTP(allow_loopback=True)
        with pytest.raises(OutboundRefusedError, match="the call failed"):
            await strict.post_form(hook.uri, {})
        await strict.close()
        trusting = GuardedHTTP(allow_loopback=True, ca_file=authority)
        assert await trusting.post_form(hook.uri, {}) == 200
        elsewhere = hook.uri.replace("localhost", "127.0.0.1")
        with pytest.raises(OutboundRefusedError, match="the call failed"):
            await trusting.post_form(elsewhere, {})
        await trusting.close()
        assert len(hook.received) == 1


async def test_plain_http_is_called_on_this_machine_only_where_that_is_allowed(hook: Receiver) -> None:
    http = GuardedHTTP(allow_loopback=False)
    for uri in (hook.uri, hook.uri.replace("http:", "https:"), "ftp://localhost/"):
        with pytest.raises(OutboundRefusedError):
            await http.post_form(uri, {})
    await http.close()
    assert hook.received == []
