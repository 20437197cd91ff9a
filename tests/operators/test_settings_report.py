"""`idp settings`: every setting is explained, no secret is shown."""

import pytest

from idp.operators.settings_report import without_password
from idp.settings import Settings
from tests.operators.conftest import Installation


def test_every_setting_is_listed_with_meaning_value_and_origin(small_installation: Installation) -> None:
    rows = {row["name"]: row for row in small_installation.answer("settings")["settings"]}
    assert set(rows) == {f"IDP_{name.upper()}" for name in Settings.model_fields}
    assert all(row["description"] for row in rows.values())
    assert (rows["IDP_MODE"]["value"], rows["IDP_MODE"]["is_from_environment"]) == ("demo", True)
    assert (rows["IDP_CODE_SECONDS"]["value"], rows["IDP_CODE_SECONDS"]["is_from_environment"]) == (60, False)
    said = small_installation.run("settings").stdout
    assert [name for name in rows if name not in said] == []


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://lan:s3cret@db.example/idp", "postgresql://lan:•••@db.example/idp"),
        (
            "postgresql://lan@db.example/idp?password=s3cret&x=1",
            "postgresql://lan@db.example/idp?password=•••&x=1",
        ),
        ("postgresql://lan:lan@db.example/lan", "postgresql://lan:•••@db.example/lan"),
        ("sqlite:///lienket.sqlite3", "sqlite:///lienket.sqlite3"),
    ],
)
def test_passwords_in_addresses_are_masked(
    small_installation: Installation, monkeypatch: pytest.MonkeyPatch, url: str, shown: str
) -> None:
    assert without_password(url) == shown
    monkeypatch.setenv("IDP_DATABASE_URL", url)
    assert "s3cret" not in small_installation.run("settings").output


def test_a_check_names_every_problem(
    small_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert small_installation.answer("settings", "check")["problems"] == []
    monkeypatch.setenv("IDP_ISUER", "x")
    monkeypatch.setenv("IDP_CODE_SECONDS", "600")
    monkeypatch.setenv("IDP_ISSUER", "http://idp.example")
    reasons = small_installation.answer("settings", "check", status=1)["error"]["reasons"]
    assert [reason.partition(":")[0] for reason in reasons] == ["IDP_ISUER", "IDP_ISSUER", "IDP_CODE_SECONDS"]


def test_a_production_needs_https(small_installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDP_MODE", "production")
    for words in (("settings", "check"), ("serve", "--port", "0")):
        assert "production needs an https issuer" in small_installation.refused(*words)


def test_the_cost_of_a_password_hash_is_measured_when_asked_for(small_installation: Installation) -> None:
    assert "password_hash_milliseconds" not in small_installation.answer("settings")
    assert small_installation.answer("settings", "--measure")["password_hash_milliseconds"] > 1


def test_it_says_by_which_ways_people_are_told(
    small_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "/my/notices alone" in small_installation.run("settings", "check").stdout
    secret = small_installation.folder / "sms.secret"
    monkeypatch.setenv("IDP_SMTP_URL", "smtps://lienket@mail.example")
    monkeypatch.setenv("IDP_SMS_GATEWAY", "https://sms.example/send")
    (reason,) = small_installation.answer("settings", "check", status=1)["error"]["reasons"]
    assert reason.startswith("IDP_SMS_GATEWAY_SECRET_FILE")
    monkeypatch.setenv("IDP_SMS_GATEWAY_SECRET_FILE", str(secret))
    small_installation.answer("settings", "check", status=1)
    secret.write_text("s3cret-of-the-gateway\n")
    ways = small_installation.answer("settings", "check")["ways_to_people"]
    assert ways == {"email": True, "sms": True, "push": False}
    assert "s3cret" not in small_installation.run("settings").output


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IDP_SMTP_URL", "smtps://lienket:s3cret@mail.example"),
        ("IDP_SMTP_URL", "http://mail.example"),
        ("IDP_SMTP_URL", "smtps://"),
        ("IDP_MAIL_FROM", "Lienket <no-reply@id.example>"),
        ("IDP_MAIL_FROM", "a@id.example\r\nBcc: b@evil.example"),
        ("IDP_SMS_GATEWAY", "http://sms.example"),
        ("IDP_PUSH_GATEWAY", "ftp://push.example"),
        ("IDP_QUICK_NETWORKS", "0"),
    ],
)
def test_a_way_that_cannot_be_used_is_refused(
    small_installation: Installation, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    (reason,) = small_installation.answer("settings", "check", status=1)["error"]["reasons"]
    assert reason.startswith(name)
    assert "s3cret" not in reason
