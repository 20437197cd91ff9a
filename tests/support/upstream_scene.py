"""The provider with two upstreams beside it: a standard one and a dialect, each of the tests' own making."""

import contextlib
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx
from joserfc.jwk import ECKey, KeySet

from idp.pages.visit import OWN, own_visit
from tests.support.html_forms import Html
from tests.support.platform import Platform
from tests.support.provider import ISSUER, Provider, running_provider
from tests.support.shared_provider import new_platform
from tests.support.upstream_dialect import DialectServer
from tests.support.upstream_openid import OpenIDServer
from tests.support.upstream_server import UpstreamPerson, UpstreamServer, served

Kind = Literal["standard", "dialect"]
KINDS: tuple[Kind, ...] = ("standard", "dialect")
_OWN_VISIT = own_visit(ISSUER, OWN)
assert _OWN_VISIT is not None
WELCOME = _OWN_VISIT.onward_uri
"""Where a visit to one's own pages leads."""


def openid_configuration(upstream: OpenIDServer) -> dict[str, Any]:
    return {
        "kind": "openid",
        "name": {"vi": "Định danh Sen", "en": "Lotus ID"},
        "issuer": upstream.issuer,
        "client_id": upstream.client_id,
        "client_authentication": {"method": "private_key_jwt", "key_file": "standard.jwk"},
        "scope": "openid profile",
        "acr_values": "loa2 loa3",
        "userinfo": "json",
        "mapping": {
            "attributes": {
                "personal_number": "/identity/number",
                "name": "name",
                "birthdate": "birthdate",
                "gender": "gender",
                "phone_number": "phone_number",
            },
            "level": {"claim": "acr", "values": {"loa1": ["pwd"], "loa2": ["pwd", "otp"]}},
            "methods": {"claim": "amr", "values": {"face": ["face"]}},
            "proofing": {"claim": "/identity/level", "values": {"1": "vn1", "2": "vn2"}},
            "create": True,
        },
    }


def dialect_configuration(upstream: DialectServer) -> dict[str, Any]:
    return {
        "kind": "dialect",
        "name": {"vi": "Cổng Tre", "en": "Bamboo Gate"},
        "client_id": upstream.client_id,
        "client_authentication": {"method": "client_secret_post", "secret_file": "dialect.secret"},
        "authorization_endpoint": f"{upstream.issuer}/connect",
        "token_endpoint": f"{upstream.issuer}/exchange",
        "userinfo_endpoint": f"{upstream.issuer}/citizen",
        "parameters": {"channel": "web"},
        "fresh_parameters": {"prompt": "login"},
        "userinfo": {
            "method": "POST",
            "within": "/data",
            "algorithm": upstream.algorithm,
            "encryption": upstream.encryption,
            "key_file": "dialect.jwk",
        },
        "token_subject": "/account/id",
        "auth_time": "signed_in",
        "mapping": {
            "subject": "/account/id",
            "attributes": {"personal_number": "soDinhDanh", "name": "hoTen", "birthdate": "ngaySinh"},
            "birthdate_format": "dd/mm/yyyy",
            "always": ["pwd"],
            "level": {"claim": "mucDo", "values": {"1": [], "2": ["otp"]}},
            "proofing": {"claim": "mucDo", "values": {"1": "vn1", "2": "vn2"}},
            "create": False,
        },
    }


def trouble_of(answer: httpx.Response) -> str | None:
    """Return what went wrong, as the address tells to which an answer leads; None for another one."""
    assert answer.status_code == 303
    *_, place, _, trouble, reference = ["", "", "", *answer.headers["location"].split("/")]
    return trouble if place == "upstream" and reference.startswith("U") else None


@dataclass
class UpstreamScene:
    """The provider, its upstreams, and the hands of people between them."""

    provider: Provider
    standard: OpenIDServer
    dialect: DialectServer
    log: Path

    def upstream(self, kind: Kind) -> UpstreamServer:
        return self.standard if kind == "standard" else self.dialect

    def at(self, kind: Kind, number: str, **claims: Any) -> UpstreamPerson:
        """Have somebody with this number be signed in at an upstream, under a `sub` of their own."""
        subject = claims.pop("subject", f"sub-{secrets.token_hex(6)}")
        if kind == "standard":
            told = {
                "identity": {"number": number, "level": 2},
                "name": "Nguyễn Thị Lan",
                "birthdate": "1990-01-02",
                "acr": "loa2",
            }
        else:
            told = {
                "soDinhDanh": number,
                "hoTen": "Nguyễn Thị Lan",
                "ngaySinh": "02/01/1990",
                "mucDo": 2,
            }
        upstream = self.upstream(kind)
        upstream.person = UpstreamPerson(subject, told | claims)
        return upstream.person

    def newcomer(self) -> str:
        """Return a number that nobody holds."""
        return f"000390{secrets.randbelow(10**6):06d}"

    async def leave(self, browser: httpx.AsyncClient, kind: Kind, visit_id: str = "my") -> str:
        """Go from the sign-in page to the upstream; return where the browser is sent."""
        sign_in = await browser.get(f"/sign-in/{visit_id}")
        address = next(link for link in Html(sign_in.text).links if link.endswith(f"/upstream/{kind}"))
        page = await browser.get(address)
        assert page.status_code == 200, page.text
        form = Html(page.text).forms["upstream"]
        sent = await browser.post(form.action, data=form.fields)
        assert sent.status_code == 303, sent.text
        return sent.headers["location"]

    async def callback_of(self, address: str) -> str:
        """Visit the upstream as the browser does; return the address with the answer."""
        async with httpx.AsyncClient(trust_env=False) as elsewhere:
            answer = await elsewhere.get(address)
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    async def come(self, browser: httpx.AsyncClient, kind: Kind, visit_id: str = "my") -> httpx.Response:
        """Go away and come back; return the answer to the callback."""
        return await browser.get(await self.callback_of(await self.leave(browser, kind, visit_id)))

    async def platform_visit(self, browser: httpx.AsyncClient, **changes: str) -> tuple[Platform, str]:
        """Begin at a network; return it and the visit's id."""
        platform = await new_platform(self.provider)
        sent = await browser.get("/authorize", params=platform.request(**changes))
        return platform, sent.headers["location"].rpartition("/")[2]

    async def who_is_in(self, browser: httpx.AsyncClient) -> str | None:
        """Return the id of whoever is signed in with a browser."""
        cookie = browser.cookies.get("lienket-session")
        found = None if cookie is None else await self.provider.unit_of_work().sessions.find(cookie)
        return None if found is None or found.session.ended_at is not None else found.citizen.citizen_id

    def logged(self) -> str:
        self.provider.context.log.flush()
        return self.log.read_text() if self.log.exists() else ""


@contextlib.asynccontextmanager
async def upstream_scene(
    database_url: str, folder: Path, changes: dict[Kind, dict[str, Any]] | None = None, **dialect: Any
) -> AsyncIterator[UpstreamScene]:
    """Open everything on a migrated database; `changes` are merged into an upstream's configuration."""
    signing = ECKey.generate_key("P-256", {"kid": "ours", "alg": "ES256"})
    standard = OpenIDServer(client_keys=KeySet([signing]))
    speaking = DialectServer(**dialect)
    decrypting = speaking.key
    if isinstance(decrypting, ECKey):
        speaking.key = ECKey.import_key(decrypting.as_dict(private=False))
    configured = {
        "standard": openid_configuration(standard),
        "dialect": dialect_configuration(speaking),
    }
    for kind, changed in (changes or {}).items():
        configured[kind] |= changed
    file = folder / "upstreams.json"
    file.write_text(json.dumps(configured))
    (folder / "standard.jwk").write_text(json.dumps(signing.as_dict(private=True)))
    (folder / "standard.secret").write_text(standard.secret)
    (folder / "dialect.jwk").write_text(json.dumps(decrypting.as_dict(private=True)))
    (folder / "dialect.secret").write_text(speaking.secret)
    with served(standard), served(speaking):
        async with running_provider(database_url, folder, upstreams=file) as provider:
            standard.clock = speaking.clock = provider.clock
            yield UpstreamScene(provider, standard, speaking, folder / "log.jsonl")
