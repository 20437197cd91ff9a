"""Whatever arrives at the platform API, its answer is one that its description knows, and no fault."""

import json
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from fastapi.routing import APIRoute
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

from idp import endpoints
from idp.protocol.platform_api import openapi_document
from idp.protocol.resources import ACCOUNT_LINKS
from idp.web.sender_constraint import dpop_nonces
from tests.support.columns import COLUMNS
from tests.support.databases import migrated_database
from tests.support.party import Party
from tests.support.platform_api import MANAGE, READ
from tests.support.served_here import served_here

DESCRIBED = openapi_document("https://op.example")
SCHEMA = schemathesis.openapi.from_dict(DESCRIBED)
OPERATIONS = {each.ok().label: each.ok() for each in SCHEMA.get_all_operations()}
EXAMPLES = 40
CHECKS: Any = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def test_it_is_described_as_it_is_registered() -> None:
    """Every address and method below /account-links, and no other."""
    registered = {
        f"{method} {route.path}"
        for module in vars(endpoints).values()
        for route in getattr(getattr(module, "router", None), "routes", ())
        if isinstance(route, APIRoute) and route.path.startswith(ACCOUNT_LINKS)
        for method in route.methods - {"HEAD"}
    }
    assert registered == set(OPERATIONS)


def test_an_operation_is_found_under_its_own_name() -> None:
    names = [
        operation["operationId"]
        for item in DESCRIBED["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    ]
    assert len(set(names)) == len(names) == len(OPERATIONS)


class Target:
    """A served provider, with what lets a request come further than its first check."""

    def __init__(self, party: Party) -> None:
        self.party, self.http, self.issuer = party, party.back, party.op.issuer
        self.browser, self.person = party.op.browser(), party.op.add_person(has_totp=False)
        self.token = self.link_id = ""
        self.renew()

    def renew(self) -> None:
        """Have an account linked, for the last link may have ended."""
        details = json.dumps([{"type": "account_link", "account_id": secrets.token_hex(8)}])
        tokens = self.party.sign_in(self.browser, self.person, authorization_details=details)
        self.link_id = tokens["authorization_details"][0]["link_id"]
        url = f"{self.issuer}/token"
        headers = {"dpop": self.proof("POST", url), **self.party.credentials()[1]}
        form = {"grant_type": "client_credentials", "scope": f"{READ} {MANAGE}"}
        self.token = self.http.post(url, data=form, headers=headers).json()["access_token"]

    def proof(self, method: str, url: str, **more: Any) -> str:
        context = self.party.op.provider.context
        [nonce, *_] = dpop_nonces(context, context.clock())
        return self.party.proof(method, url, nonce=nonce, **more)

    def send(self, case: Case, *, is_right: bool) -> None:
        made = case.as_transport_kwargs(base_url=self.issuer)
        # Space around a value is not sent, whoever sends it (RFC 9110 §5.5).
        headers = {name.lower(): value.strip() for name, value in made["headers"].items()}
        prepared = requests.Request(
            made["method"],
            made["url"],
            headers=headers,
            params=made.get("params"),
            data=made.get("data"),
            json=made.get("json"),
        ).prepare()
        body = prepared.body if isinstance(prepared.body, bytes) else (prepared.body or "").encode()
        sent = {name: value for name, value in prepared.headers.items() if name.lower() != "authorization"}
        request = httpx.Request(prepared.method or "", prepared.url or "", headers=sent, content=body)
        if is_right:
            address = str(request.url.copy_with(query=None))
            request.headers["authorization"] = f"DPoP {self.token}"
            request.headers["dpop"] = self.proof(request.method, address, access_token=self.token)
        response = self.http.send(request)
        case.validate_response(response, checks=CHECKS)
        if response.is_success and case.path.endswith("/end"):
            self.renew()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("fuzz")
    with migrated_database(request.param, folder) as url, served_here(url, folder) as op:
        asking = {"grant_types": ["authorization_code", "refresh_token", "client_credentials"]}
        scope = f"openid {READ} {MANAGE}"
        yield Target(Party.registered(op, COLUMNS["oidc"], scope=scope, **asking))


@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_no_answer_is_outside_its_description(target: Target, label: str) -> None:
    operation = OPERATIONS[label]
    cases = st.one_of(
        operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
        operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
    )
    mostly = st.sampled_from((True,) * 8 + (False,))

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    @given(cases, st.tuples(mostly, st.booleans(), mostly))
    def check(case: Case, drawn: tuple[bool, bool, bool]) -> None:
        is_right, is_known, has_key = drawn
        if is_known and "link_id" in (case.path_parameters or {}):
            case.path_parameters["link_id"] = target.link_id
        if has_key and case.method == "POST":
            case.headers = {**(case.headers or {}), "Idempotency-Key": f'"{secrets.token_hex(8)}"'}
        target.send(case, is_right=is_right)

    check()
