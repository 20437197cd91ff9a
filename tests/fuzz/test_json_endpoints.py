"""Whatever arrives at a JSON endpoint, its answer is one that openapi.yaml knows, and no fault of ours.

The platform API has a description of its own, which it publishes: see test_platform_api.py.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from idp.endpoints import event_stream_poll
from idp.housekeeping.status_lists import build_status_lists
from idp.protocol.metadata import server_metadata
from idp.protocol.model import Policy
from idp.protocol.profiles import CIBA_GRANT, CLIENT_CREDENTIALS_GRANT, DEVICE_GRANT
from idp.protocol.resources import ACCOUNT_LINKS
from idp.protocol.transmitter_metadata import transmitter_metadata
from tests.support.columns import COLUMNS
from tests.support.databases import migrated_database
from tests.support.party import Party
from tests.support.public_log import append, sign_all
from tests.support.registrations_online import initial_token
from tests.support.served_here import served_here

DESCRIBED: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "openapi.yaml").read_text())
UNNAMED = {
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-protected-resource/userinfo",
    "/.well-known/oauth-protected-resource/account-links",
    "/.well-known/oauth-protected-resource/ssf",
    "/.well-known/ssf-configuration",
    "/ssf/poll/{stream_id}",
    "/register/{client_id}",
    "/sandbox/keys/rotate",
    "/sandbox/links/{link_id}/{word}",
    "/sandbox/people",
    "/sandbox/simulation",
    "/sandbox/token",
    "/status-lists/{list_id}",
    "/transparency/checkpoint",
    "/transparency/checkpoints",
    "/transparency/consistency",
    "/transparency/inclusion",
    "/transparency/tiles/{level}/{index}",
}
"""What is found by other means than by a member of the discovery document."""
FOR_PEOPLE = {"/authorize"}
"""A page; tests/security/test_fuzzed_requests.py sends it what it likes."""
EXAMPLES = 30

CHECKS: Any = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def announced() -> set[str]:
    """The paths of the discovery documents."""
    document = {**server_metadata(Policy(issuer="")), **transmitter_metadata(Policy(issuer=""))}
    addresses = [document[name] for name in document if name.endswith(("_endpoint", "_uri"))]
    described_itself = {address for address in addresses if address.startswith(ACCOUNT_LINKS)}
    return {*addresses, *UNNAMED} - FOR_PEOPLE - described_itself


SCHEMA = schemathesis.openapi.from_dict(
    {**DESCRIBED, "paths": {path: DESCRIBED["paths"][path] for path in sorted(announced())}}
)
OPERATIONS = {each.ok().label: each.ok() for each in SCHEMA.get_all_operations()}


def test_every_endpoint_for_machines_is_described() -> None:
    assert announced() == set(DESCRIBED["paths"])


CREDENTIALS = ("client_id", "client_secret", "client_assertion", "client_assertion_type")
WRONG = {
    "client": ("Basic Og==", "Basic bm9ib2R5Om5vdGhpbmc=", "Bearer a.b.c"),
    "token": ("Bearer a.b.c", "DPoP x", "Bearer"),
    "none": ("Basic",),
}


class Target:
    """A served provider, with what lets a request come further than its first check."""

    def __init__(self, party: Party, licence: str) -> None:
        self.http, self.issuer, self.licence = party.back, party.op.issuer, licence
        browser, person = party.op.browser(), party.op.add_person(has_totp=False)
        tokens = party.sign_in(browser, person)
        self.basic = party.credentials()[1]["authorization"]
        self.access_token = tokens["access_token"]
        self.managed: dict[str, Any] = {}
        """A registered client, its present token included."""
        form = {"grant_type": CLIENT_CREDENTIALS_GRANT, "scope": "ssf.read ssf.manage"}
        self.own_token = party.post("/token", form).json()["access_token"]
        self.real = {
            "token": self.access_token,
            "refresh_token": tokens["refresh_token"],
            "id_token_hint": tokens["id_token"],
            "login_hint": party.id_token(tokens)["sub"],
            "redirect_uri": party.redirect_uri,
            "redirect_uris": [party.redirect_uri],
            "response_type": "code",
            "scope": "openid",
            "code_challenge": "a" * 43,
            "code_challenge_method": "S256",
        }
        """Values that are right; a request gets some of them."""
        self.sandbox_basic, self.sandbox_token = self._in_sandbox()
        provider, now = party.op.provider, party.op.clock.now
        list_id, _ = party.op.run(provider.context.status_indexes.take(party.client_id))
        self.public: dict[str, Any] = {"list_id": list_id, "level": 0, "index": 0, "before": 3, "limit": 2}
        self.public |= {"from": 1, "to": 3, "leaf_index": 1, "tree_size": 3}
        """What anybody may ask for, and is there."""
        party.op.run(build_status_lists(provider.unit_of_work, "builder", now))
        party.op.run(append(provider.unit_of_work(), 3, now))
        party.op.run(sign_all(provider.unit_of_work(), provider.context.custody, now, self.issuer))

    def _in_sandbox(self) -> tuple[str, str]:
        """Return what authenticates a client of which nothing is asked but what its sandbox does."""
        self.register()
        named = httpx.BasicAuth(self.managed["client_id"], self.managed["client_secret"])
        asked = self.http.build_request("POST", f"{self.issuer}/sandbox/token")
        basic: str = next(named.auth_flow(asked)).headers["authorization"]
        answer = self.http.post("/sandbox/token", headers={"Authorization": basic})
        return basic, f"Bearer {answer.json()['sandbox_token']}"

    def register(self) -> None:
        """Register a client that requests may manage, and end."""
        metadata = {"redirect_uris": self.real["redirect_uris"]}
        headers = {"Authorization": f"Bearer {self.licence}"}
        self.managed = self.http.post("/register", json=metadata, headers=headers).json()

    def listen(self) -> None:
        """Have an event stream that requests may change, and end."""
        headers = {"Authorization": f"Bearer {self.own_token}"}
        created = self.http.post("/ssf/streams", json={}, headers=headers)
        [stream] = self.http.get("/ssf/streams", headers=headers).json()
        assert created.status_code in {201, 409}
        self.real["stream_id"] = stream["stream_id"]

    def right(self, label: str) -> str | None:
        """Return what authenticates a request of this operation."""
        if " /ssf/" in label:
            return f"Bearer {self.own_token}"
        if " /sandbox/" in label:
            return self.sandbox_basic if label.endswith("/token") else self.sandbox_token
        match label.split(" ")[1]:
            case "/userinfo":
                return f"Bearer {self.access_token}"
            case "/register":
                return f"Bearer {self.licence}"
            case "/register/{client_id}":
                return f"Bearer {self.managed['registration_access_token']}"
        return self.basic

    def improve(self, case: Case, real: set[str], *, is_right: bool) -> None:
        """Put what there really is in the place of some of what was drawn."""
        if isinstance(case.body, dict):
            case.body |= {name: self.real[name] for name in real & self.real.keys()}
            for name in CREDENTIALS if is_right else ():
                case.body.pop(name, None)
        for part in (case.path_parameters, case.query):
            if isinstance(part, dict):
                part |= {name: self.public[name] for name in real & part.keys() & self.public.keys()}
        if is_right:
            self._name_own(case, real)
        if not isinstance(case.query, dict):
            return
        if "/ssf/" in case.path:
            case.query |= {name: self.real[name] for name in real & {"stream_id"}}
        if case.path == "/end_session" and case.method == "GET":
            case.query |= {name: self.real[name] for name in real & {"id_token_hint"}}

    def _name_own(self, case: Case, real: set[str]) -> None:
        """Name the client and the stream that are the sender's own."""
        if "client_id" in (case.path_parameters or {}):
            case.path_parameters["client_id"] = self.managed["client_id"]
            if isinstance(case.body, dict):
                case.body["client_id"] = self.managed["client_id"]
        if "stream_id" in (case.path_parameters or {}) and "stream_id" in real:
            case.path_parameters["stream_id"] = self.real["stream_id"]

    def send(self, case: Case, authorization: str | None) -> None:
        made = case.as_transport_kwargs(base_url=self.issuer)
        # Space around a value is not sent, whoever sends it (RFC 9110 §5.5).
        headers = {name.lower(): value.strip() for name, value in made["headers"].items()}
        if authorization is not None:
            headers["authorization"] = authorization
        prepared = requests.Request(
            made["method"],
            made["url"],
            headers=headers,
            params=made.get("params"),
            data=made.get("data"),
            json=made.get("json"),
        ).prepare()
        body = prepared.body if isinstance(prepared.body, bytes) else (prepared.body or "").encode()
        headers_sent = list(prepared.headers.items())
        request = httpx.Request(prepared.method or "", prepared.url or "", headers=headers_sent, content=body)
        response = self.http.send(request)
        case.validate_response(response, checks=CHECKS)
        if response.status_code == 204:
            self.register()
            self.listen()
        elif response.is_success and case.operation.path == "/register/{client_id}":
            self.managed = response.json()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("fuzz")
    with migrated_database(request.param, folder) as url, served_here(url, folder) as op:
        grants = [
            "authorization_code",
            "refresh_token",
            CLIENT_CREDENTIALS_GRANT,
            CIBA_GRANT,
            DEVICE_GRANT,
        ]
        asking = {"grant_types": grants, "backchannel_token_delivery_mode": "poll"}
        licence = op.run(initial_token(op.provider, uses=100_000))
        yield Target(
            Party.registered(op, COLUMNS["oidc"], scope="openid ssf.read ssf.manage", **asking), licence
        )


@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_no_answer_is_outside_its_description(
    target: Target, label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream_poll, "WAIT_SECONDS", 0.0)
    operation = OPERATIONS[label]
    target.register()
    target.listen()
    scheme = next(iter(operation.definition.raw.get("security", [{"none": []}])[0]))
    cases = st.one_of(
        operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
        operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
    )
    credentials = st.sampled_from(("right",) * 8 + (*WRONG[scheme], None))
    some = st.sets(st.sampled_from(sorted({*target.real, *target.public})))

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    @given(cases, credentials, some)
    def check(case: Case, authorization: str | None, real: set[str]) -> None:
        is_right = authorization == "right"
        target.improve(case, real, is_right=is_right)
        target.send(case, target.right(label) if is_right else authorization)

    check()
