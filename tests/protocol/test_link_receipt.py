"""The receipt of a link: what it says, that it says nothing else, and that it passes for nothing else."""

from typing import Any

import pytest

from idp.identity.account_links import AccountLink, Status
from idp.identity.assurance import Acr, Proofing
from idp.protocol.link_receipt import RECEIPT_TYPE, has_receipt, receipt_claims
from tests.support.protocol_builders import ISSUER, NOW, make_link

LISTED: dict[str, Any] = {"status_list_id": "list-1", "status_index": 0, "policy_version": 3}


def listed(**changes: Any) -> AccountLink:
    return make_link(**({"status": Status.ACTIVE, "linked_at": NOW, "expires_at": NOW} | LISTED | changes))


def test_it_says_who_which_account_how_sure_since_when_and_where_the_rest_is() -> None:
    link = listed(proofing=Proofing.VN2, acr=Acr.VN_2)
    assert receipt_claims(link, ISSUER, NOW) == {
        "iss": ISSUER,
        "client_id": link.client_id,
        "sub": link.subject,
        "iat": int(NOW.timestamp()),
        "link_id": link.link_id,
        "account_id": link.account_id,
        "assurance_level": "vn2",
        "acr": f"{ISSUER}/acr/vn-2",
        "linked_at": int(NOW.timestamp()),
        "expires_at": int(NOW.timestamp()),
        "policy_version": 3,
        "status": {"status_list": {"idx": 0, "uri": f"{ISSUER}/status-lists/list-1"}},
    }


def test_nothing_about_the_person_or_our_reasons_stands_in_it() -> None:
    """Rules R4, R12; the citizen, the guardian and the place are ours alone."""
    link = listed(citizen_id="citizen-9", guardianship_id="guardian-9", mark_id="mark-9", place=7)
    told = repr(receipt_claims(link, ISSUER, NOW))
    assert not any(secret in told for secret in ("citizen-9", "guardian-9", "mark-9"))


def test_it_has_what_no_id_token_may_lack_and_lacks_it_on_purpose() -> None:
    """RFC 8725 §3.12: neither `aud` nor `exp`, so that who ignores `typ` refuses it, too."""
    assert not {"aud", "exp", "nonce"} & receipt_claims(listed(), ISSUER, NOW).keys()
    assert RECEIPT_TYPE == "account-link+jwt"


@pytest.mark.parametrize(
    "changes",
    [{"status": status} for status in Status if status is not Status.ACTIVE]
    + [{"status_list_id": None}, {"status_index": None}],
    ids=str,
)
def test_a_link_that_is_not_active_or_in_no_list_has_none(changes: dict[str, Any]) -> None:
    assert not has_receipt(listed(**changes))
    with pytest.raises(ValueError, match="has no receipt"):
        receipt_claims(listed(**changes), ISSUER, NOW)
