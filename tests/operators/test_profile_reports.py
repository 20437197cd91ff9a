"""`idp clients check` and `idp settings check`: which profile is met, and what is missing."""

from pathlib import Path
from typing import Any

import pytest

from idp.protocol.profiles import Profile
from tests.operators.conftest import Installation
from tests.operators.test_clients import FILE, apply, write

BY_SECRET = '"client_secret_basic"'
FAPI2 = f"""
[client]
client_id = "chac"
client_name = "Chắc"
redirect_uris = ["https://chac.example/callback"]
token_endpoint_auth_method = "private_key_jwt"
jwks_uri = "https://chac.example/jwks"
dpop_bound_access_tokens = true

[policy]
profile = "{Profile.FAPI2}"
"""


def reports(installation: Installation, *words: object, status: int = 0) -> dict[str, Any]:
    answer = installation.answer("clients", "check", *words, status=status)
    return {report["client_id"]: report for report in answer["clients"]}


def test_a_client_meets_its_own_profile_and_lacks_what_another_wants(installation: Installation) -> None:
    apply(installation, write(installation.folder), write(installation.folder, FAPI2, "chac.toml"))
    found = reports(installation)
    assert {name: report["missing"] for name, report in found.items()} == {"chac": [], "quan-coc": []}
    assert found["chac"]["meets"] == ["oidc", "fapi2", "ida"]
    assert found["quan-coc"]["meets"] == ["oidc", "ida"]
    wanted = reports(installation, "quan-coc", "--profile", "fapi2", status=1)["quan-coc"]["missing"]
    assert [gap.partition(" ")[0] for gap in wanted] == [
        "token_endpoint_auth_method",
        "id_token_signed_response_alg",
        "dpop_bound_access_tokens",
        "require_pushed_authorization_requests",
    ]
    assert "no client" in installation.refused("clients", "check", "unknown")
    told = installation.run("clients", "check", "chac").stdout
    assert "meets: oidc, fapi2, ida" in told
    said = installation.run("clients", "check", "chac", "--profile", "fapi2-ms")
    assert (said.exit_code, "missing: require_signed_request_object" in said.stdout) == (1, True)


def test_a_file_is_checked_before_it_is_applied(small_installation: Installation) -> None:
    good = write(small_installation.folder)
    assert reports(small_installation, "--file", good)[str(good)]["missing"] == []
    weak = write(small_installation.folder, FAPI2.replace("dpop_bound_access_tokens = true", ""), "weak.toml")
    (gap,) = reports(small_installation, "--file", weak, status=1)[str(weak)]["missing"]
    assert gap.startswith("client.dpop_bound_access_tokens")
    public = write(small_installation.folder, FILE.replace(BY_SECRET, '"none"'), "public.toml")
    assert "fapi2" not in reports(small_installation, "--file", public)[str(public)]["meets"]
    assert small_installation.rows("clients") == []


def test_a_suspended_client_is_told_as_such(small_installation: Installation) -> None:
    apply(small_installation, write(small_installation.folder))
    small_installation.answer("clients", "suspend", "quan-coc")
    report = reports(small_installation, "quan-coc", status=1)["quan-coc"]
    assert report["missing"] == ["it is suspended"]
    assert report["meets"] == ["oidc", "ida"], "which rules it keeps is another question"


def test_the_server_says_what_it_lacks(
    small_installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(small_installation, write(small_installation.folder))
    profiles = small_installation.answer("settings", "check")["profiles"]
    assert profiles["oidc"] == ["the issuer must be https (DISC-02)"]
    monkeypatch.setenv("IDP_ISSUER", "https://id.example")
    profiles = small_installation.answer("settings", "check")["profiles"]
    assert profiles["oidc"] == []
    (gap,) = profiles["fapi2"]
    assert "no certificates of clients" in gap
    assert small_installation.answer("settings", "check", "--profile", "oidc")["problems"] == []
    refused = small_installation.answer("settings", "check", "--profile", "fapi2", status=1)
    assert refused["profiles"] == profiles
    monkeypatch.setenv("IDP_MTLS_ORIGIN", "https://mtls.id.example")
    assert small_installation.answer("settings", "check", "--profile", "fapi2")["profiles"]["fapi2"] == []
    monkeypatch.setenv("IDP_DPOP_NONCE", "offered")
    (gap,) = small_installation.answer("settings", "check")["profiles"]["fapi2"]
    assert "IDP_DPOP_NONCE" in gap
    assert "profile oidc: met" in small_installation.run("settings", "check").stdout


def test_a_check_makes_no_keys_and_tells_of_no_database(
    small_installation: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("IDP_KEYS_DIR", str(tmp_path / "none"))
    profiles = small_installation.answer("settings", "check")["profiles"]
    assert any("no key signs with" in gap for gap in profiles["oidc"])
    assert not (tmp_path / "none").exists()
    monkeypatch.setenv("IDP_KEYS_DIR", str(tmp_path))
    monkeypatch.setenv("IDP_DATABASE_URL", f"sqlite:///{tmp_path / 'absent.sqlite3'}")
    assert any(
        "There is no database" in gap
        for gap in small_installation.answer("settings", "check")["profiles"]["oidc"]
    )


def test_a_file_of_statement_issuers_that_holds_none_is_a_problem(
    small_installation: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "issuers.json"
    monkeypatch.setenv("IDP_SOFTWARE_STATEMENT_ISSUERS", str(path))
    for content in (None, "[]", '{"https://authority.example": {"keys": []}}'):
        if content is not None:
            path.write_text(content)
        assert "IDP_SOFTWARE_STATEMENT_ISSUERS" in small_installation.refused("settings", "check")
