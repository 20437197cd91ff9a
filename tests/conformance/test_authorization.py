"""AUTHZ-01 to AUTHZ-16: what a request may hold, and what comes back."""

import math
import re
from collections import Counter

import httpx
import pytest

from tests.support.columns import Column
from tests.support.party import Party
from tests.support.provider import Person
from tests.support.served_here import ServedHere
from tests.support.visits import Answer

SUCCESS = {"code", "state", "iss"}
ERROR = {"error", "error_description", "error_uri", "state", "iss"}
INSIDE = {"aud", "exp"}
"""What a signed response has beside the parameters (JARM §2.1)."""
PRINTABLE = re.compile(r"[ !#-\[\]-~]+")


def bits(text: str) -> float:
    """Return the entropy as the suite measures it: by how often each character occurs."""
    counted = Counter(text)
    return -sum(n * math.log2(n / len(text)) for n in counted.values())


def refused(party: Party, browser: httpx.Client, person: Person) -> Answer:
    """Return an error response of any kind: the person does not agree."""
    return party.answer(browser, person, decision="deny", prompt="consent")


@pytest.mark.item("AUTHZ-01")
def test_authz_01_get_and_post_are_the_same(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    for verb in ("GET", "POST"):
        assert "code" in party.carried(browser, person, party.front(), verb=verb).parameters


@pytest.mark.item("AUTHZ-02")
def test_authz_02_the_state_comes_back_as_it_was_and_only_if_it_was_sent(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    state = ("~!@$^*()_-=[]{}|:;',.?/ aZ09+%&#" * 4)[:128]
    assert party.answer(browser, person, state=state).parameters["state"] == state
    assert "state" not in party.answer(browser, person, state=None).parameters


@pytest.mark.item("AUTHZ-03")
def test_authz_03_a_state_of_1000_characters_comes_back_whole(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    state = "s" * 999 + "."
    assert party.answer(browser, person, state=state).parameters["state"] == state


@pytest.mark.item("AUTHZ-04")
def test_authz_04_the_issuer_is_named_in_success_and_error(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    assert refused(party, browser, person).parameters["iss"] == party.op.issuer
    assert party.answer(browser, person).parameters["iss"] == party.op.issuer


@pytest.mark.item("AUTHZ-05")
def test_authz_05_codes_are_random_work_once_and_end_within_a_minute(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    first, second, third = (party.code(browser, person) for _ in range(3))
    assert min(map(bits, (first, second, third))) > 128
    assert len({first, second, third}) == 3
    assert party.redeem(first).status_code == 200
    assert party.redeem(first).json()["error"] == "invalid_grant"
    party.op.wait(seconds=61)
    assert party.redeem(third).json()["error"] == "invalid_grant"


@pytest.mark.item("AUTHZ-06")
def test_authz_06_responses_hold_registered_parameters_only(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    more = INSIDE if column.is_signed else set()
    assert party.answer(browser, person).parameters.keys() <= SUCCESS | more
    assert refused(party, browser, person).parameters.keys() <= ERROR | more


@pytest.mark.item("AUTHZ-07")
def test_authz_07_an_error_is_described_in_one_legal_line(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    assert PRINTABLE.fullmatch(refused(party, browser, person).parameters["error_description"])


@pytest.mark.item("AUTHZ-08")
def test_authz_08_an_unregistered_redirect_uri_leads_to_a_page(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    answer = party.answer(browser, person, redirect_uri="https://rp.example/elsewhere")
    assert (answer.mode, answer.response.status_code) == ("page", 400)


@pytest.mark.item("AUTHZ-09")
def test_authz_09_no_redirect_uri_where_several_are_registered_leads_to_a_page(
    op: ServedHere, browser: httpx.Client, person: Person, column: Column
) -> None:
    addresses = ["https://rp.example/one", "https://rp.example/two"]
    party = Party.registered(op, column, redirect_uris=addresses)
    answer = party.answer(browser, person, redirect_uri=None)
    assert (answer.mode, answer.response.status_code) == ("page", 400)


@pytest.mark.item("AUTHZ-10")
def test_authz_10_another_query_leads_to_a_page_and_the_registered_one_works(
    op: ServedHere, browser: httpx.Client, person: Person, column: Column
) -> None:
    party = Party.registered(op, column, redirect_uris=["https://rp.example/back?kind=web"])
    for strange in ("https://rp.example/back", "https://rp.example/back?kind=web&more=1"):
        answer = party.answer(browser, person, redirect_uri=strange)
        assert (answer.mode, answer.response.status_code) == ("page", 400)
    answer = party.answer(browser, person)
    assert answer.url.startswith("https://rp.example/back?kind=web&")
    assert answer.parameters["code"]


@pytest.mark.item("AUTHZ-11")
def test_authz_11_a_missing_response_type_is_told(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    answer = party.answer(browser, person, response_type=None)
    assert answer.parameters["error"] in {"invalid_request", "unsupported_response_type"}


@pytest.mark.item("AUTHZ-12")
def test_authz_12_unknown_parameters_are_ignored(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    assert party.code(browser, person, extra="foobar", another="1")


@pytest.mark.item("AUTHZ-13")
@pytest.mark.parametrize(
    "wish",
    [
        {"display": "page"},
        {"display": "popup"},
        {"display": "wap", "ui_locales": "tlh xx-Zzzz-1234 vi"},
        {"ui_locales": "se", "claims_locales": "se"},
        {"ui_locales": "", "claims_locales": "not a tag!"},
        {"login_hint": "somebody@rp.example"},
    ],
    ids="+".join,
)
def test_authz_13_wishes_about_the_page_break_nothing(
    party: Party, browser: httpx.Client, person: Person, column: Column, wish: dict[str, str]
) -> None:
    assert party.code(browser, person, **wish)


@pytest.mark.item("AUTHZ-14")
def test_authz_14_acr_values_break_nothing_and_one_of_them_holds(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    acr = f"{party.op.issuer}/acr/vn-2"
    assert party.id_token(party.sign_in(browser, person, acr_values=f"urn:unknown {acr}"))["acr"] == acr
    assert party.code(browser, person, acr_values="1 2")


@pytest.mark.item("AUTHZ-15")
def test_authz_15_order_does_not_matter(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    backwards = " ".join(reversed(column.scope.split()))
    parameters = party.request(scope=backwards)
    assert party.code(browser, person, **dict(reversed(list(parameters.items()))))


@pytest.mark.item("AUTHZ-16")
def test_authz_16_pkce_with_s256_works(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    code = party.code(browser, person, code_challenge_method="S256")
    assert party.redeem(code).status_code == 200


@pytest.mark.item("AUTHZ-24")
@pytest.mark.parametrize(
    ("parameter", "error"),
    [("request", "request_not_supported"), ("request_uri", "request_uri_not_supported")],
)
def test_authz_24_an_unsigned_object_and_an_address_of_ones_own_have_their_errors(
    party: Party, browser: httpx.Client, person: Person, column: Column, parameter: str, error: str
) -> None:
    unsigned = "eyJhbGciOiJub25lIn0.e30."
    value = unsigned if parameter == "request" else "https://rp.example/request.jwt"
    answer = party.answer(browser, person, **{parameter: value})
    assert answer.parameters["error"] == error
    assert answer.parameters["state"] == "state-1"


@pytest.mark.item("AUTHZ-26", columns=["basic"])
def test_authz_26_the_redirect_uri_that_is_signed_counts(
    op: ServedHere, browser: httpx.Client, person: Person, column: Column
) -> None:
    addresses = ["https://rp.example/signed", "https://rp.example/beside"]
    party = Party.registered(op, column, redirect_uris=addresses)
    signed = party.request_object(party.request(redirect_uri=addresses[0]))
    beside = party.request(redirect_uri=addresses[1], request=signed)
    answer = party.carried(browser, person, beside)
    assert answer.url.startswith(f"{addresses[0]}?")
    assert answer.parameters["code"]


@pytest.mark.item("AUTHZ-26", columns=["fapi2-ms"])
def test_authz_26_what_stands_beside_a_signed_request_is_not_looked_at(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    pushed = party.post("/par", party.pushed() | {"redirect_uri": "https://rp.example/beside"})
    assert pushed.status_code == 201, pushed.text
    front = {"client_id": party.client_id, "request_uri": pushed.json()["request_uri"]}
    assert party.carried(browser, person, front).url.startswith(f"{party.redirect_uri}?")


@pytest.mark.item("AUTHZ-27")
def test_authz_27_an_essential_claim_of_userinfo_comes(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    tokens = party.sign_in(browser, person, claims='{"userinfo": {"name": {"essential": true}}}')
    assert party.use(tokens["access_token"]).json()["name"]


@pytest.mark.item("AUTHZ-28")
def test_authz_28_form_post_answers_with_a_form_that_sends_itself(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    for decision, expected in (("deny", {"error"}), ("allow", {"code"})):
        answer = party.answer(browser, person, decision=decision, response_mode="form_post", prompt="consent")
        assert (answer.mode, answer.url) == ("form_post", party.redirect_uri)
        assert expected < answer.parameters.keys()
        assert answer.parameters["state"] == "state-1"
        assert "form_post.js" in answer.response.text
        assert answer.parameters.get("code", "no code") not in str(answer.response.url)


@pytest.mark.item("AUTHZ-29")
def test_authz_29_who_does_not_agree_is_sent_back_with_access_denied(
    party: Party, browser: httpx.Client, person: Person, column: Column
) -> None:
    answer = refused(party, browser, person).parameters
    assert (answer["error"], answer["state"]) == ("access_denied", "state-1")
    assert answer["iss"] == party.op.issuer
