"""The example on the page about the policy is run as it stands, on the document as it is published."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from clients import relying_party
from clients.relying_party import LinkStatus, Reason, SignIn, Step
from idp.identity.feature_policy import DEFAULT
from idp.identity.feature_policy import Reason as ProvidersReason
from idp.protocol.feature_policy_document import feature_policy_document
from tests.clients.test_policy import CLIENT_ID, ISSUER, receipt

PAGE = (Path(__file__).parents[2] / "clients" / "POLICY.md").read_text()
EXAMPLE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
OLD = datetime(2019, 5, 1, tzinfo=UTC)


@pytest.fixture
def lines() -> dict[str, Any]:
    [block] = EXAMPLE.findall(PAGE)
    defined: dict[str, Any] = {}
    exec(block.replace("lienket_relying_party", relying_party.__name__), defined)
    return defined


@pytest.fixture
def policy(lines: dict[str, Any]) -> Any:
    document = orjson.dumps({"version": 1, **feature_policy_document(DEFAULT)})
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, content=document)

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        fetched = lines["fetch_policy"](http, ISSUER, CLIENT_ID)
    assert asked == [f"{ISSUER}/account-links/policy"]
    return fetched


def test_posting(lines: dict[str, Any], policy: Any) -> None:
    assert lines["before_posting"](policy, OLD, NOW) == "Please link your account by 30/12/2026."
    assert "needs an account that is linked" in lines["before_posting"](policy, NOW, NOW)


def test_selling(lines: dict[str, Any], policy: Any) -> None:
    def ask(last: SignIn) -> dict[str, object]:
        found: dict[str, object] = lines["before_selling"](
            policy, OLD, receipt(), LinkStatus.VALID, last, NOW
        )
        return found

    stale = SignIn("vn-2", NOW - timedelta(hours=1))
    assert ask(stale) == {"acr_values": ("vn-2",), "max_age": 900, "purpose": "livestream_commerce"}
    assert ask(SignIn("vn-2", NOW)) == {"is_allowed": True, "reason": Reason.MET}


def test_the_page_explains_every_reason_and_step() -> None:
    codes = set(re.findall(r"`([a-z_]+)`", PAGE))
    assert {*Reason, *Step, *ProvidersReason} <= codes
