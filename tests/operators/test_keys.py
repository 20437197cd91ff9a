"""`idp keys`: what the runbook in keys/README.md tells operators to type."""

from datetime import timedelta

import pytest

from idp.operators import keys
from idp.operators.desk import utc_now
from tests.operators.conftest import Installation


def active_keys(installation: Installation) -> dict[str, str]:
    listed = installation.answer("keys", "list")["signing"]
    return {key["algorithm"]: key["kid"] for key in listed if key["state"] == "active"}


def test_a_ceremony_begins_with_a_list_and_needs_no_database(
    small_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDP_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    listed = small_installation.answer("keys", "list")
    assert {key["algorithm"] for key in listed["signing"]} == {"ES256", "RS256", "EdDSA"}
    assert {key["purpose"] for key in listed["data"]} == {"encryption", "lookup", "pairwise"}
    assert "ES256" in small_installation.run("keys", "list").stdout
    assert not {"d", "secret", "private_key"} & set(listed["signing"][0])


def test_the_list_says_which_rotations_are_due(
    small_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert small_installation.answer("keys", "list")["rotation_due"] == []
    assert "due" not in small_installation.run("keys", "list").stdout
    monkeypatch.setattr(keys, "utc_now", lambda: utc_now() + timedelta(days=365))
    due = small_installation.answer("keys", "list")["rotation_due"]
    assert sorted(due) == ["A256GCM", "ES256", "EdDSA", "RS256"]
    assert f"Rotation is due: {', '.join(due)}." in small_installation.run("keys", "list").stdout


def test_one_algorithm_is_rotated(installation: Installation) -> None:
    before = active_keys(installation)
    (rotated,) = installation.answer("keys", "rotate", "--algorithm", "ES256")["rotated"]
    after = active_keys(installation)
    assert (rotated["before"], rotated["after"]) == (before["ES256"], after["ES256"])
    assert after == before | {"ES256": rotated["after"]}
    assert rotated["after"] != rotated["before"]
    (event,) = installation.events("key:rotated")
    assert event["details"] == {"kid": rotated["after"], "method": "signing"}


def test_all_algorithms_are_rotated(small_installation: Installation) -> None:
    before = active_keys(small_installation)
    small_installation.answer("keys", "rotate")
    after = active_keys(small_installation)
    assert [name for name in before if before[name] == after[name]] == []
    assert len(small_installation.events("key:rotated")) == len(before)


def test_the_data_key_is_rotated_and_what_was_encrypted_still_opens(small_installation: Installation) -> None:
    sealed = small_installation.custody().data.seal(b"before", b"context")
    (rotated,) = small_installation.answer("keys", "rotate", "--data")["rotated"]
    assert rotated["after"] != rotated["before"]
    assert small_installation.custody().data.open(sealed, b"context") == b"before"
    assert small_installation.events("key:rotated")[0]["details"]["method"] == "encryption"


@pytest.mark.parametrize("words", [("rotate",), ("rotate", "--data"), ("compromise",)], ids=" ".join)
def test_a_dry_run_changes_no_key(small_installation: Installation, words: tuple[str, ...]) -> None:
    kid = active_keys(small_installation)["ES256"]
    before = small_installation.answer("keys", "list")
    small_installation.answer("keys", *words, *([kid] if "compromise" in words else []), "--dry-run")
    assert small_installation.answer("keys", "list") == before
    assert small_installation.events() == []


def test_a_compromised_key_is_unpublished(installation: Installation) -> None:
    kid = active_keys(installation)["ES256"]
    assert installation.answer("keys", "compromise", kid)["state_before"] == "active"
    custody = installation.custody()
    assert kid not in {key["kid"] for key in custody.signing.public_jwks()["keys"]}
    assert active_keys(installation)["ES256"] != kid
    assert installation.events("key:compromised")[0]["details"]["kid"] == kid


def test_a_key_is_unpublished_even_when_nothing_can_be_written_down(
    small_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    kid = active_keys(small_installation)["ES256"]
    monkeypatch.setenv("IDP_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    document = small_installation.answer("keys", "compromise", kid, status=1)
    assert (document["kid"], "audit log" in document["error"]["message"]) == (kid, True)
    assert small_installation.custody().signing.verification_key(kid) is None


def test_keys_that_there_are_not_are_refused(small_installation: Installation) -> None:
    assert "no signing key" in small_installation.refused("keys", "compromise", "-nothing")
    assert "no keys for HS256" in small_installation.refused("keys", "rotate", "--algorithm", "HS256")
    assert small_installation.run("keys", "rotate", "--data", "--algorithm", "ES256").exit_code == 2


def test_a_missing_seal_is_told_in_a_sentence(small_installation: Installation) -> None:
    small_installation.answer("keys", "list")
    (small_installation.folder / "keys" / "seal.secret").unlink()
    for words in (("keys", "list"), ("clients", "list"), ("migrate",)):
        assert "The keys cannot be used" in small_installation.refused(*words)
