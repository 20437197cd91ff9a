"""The sample's registration: a reviewed file without a key, and a copy with the public half of one."""

import json
import stat
import tomllib
from pathlib import Path

import pytest

from clients.social_network.__main__ import main
from clients.social_network.registration import TEMPLATE


def test_the_reviewed_file_names_no_key() -> None:
    registration = tomllib.loads(TEMPLATE.read_text("utf-8"))
    assert "jwks" not in registration["client"]
    assert registration["client"]["client_id"] == "quan-coc"
    assert registration["policy"]["link_validity"] == "P730D"


def test_keygen_fills_in_the_public_half_and_keeps_the_key(tmp_path: Path) -> None:
    key_file, registration = tmp_path / "keys" / "key.json", tmp_path / "out" / "quan-coc.toml"
    command = ["keygen", "--key-file", str(key_file), "--registration", str(registration)]
    main(command)
    private = json.loads(key_file.read_text())
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    written = tomllib.loads(registration.read_text("utf-8"))
    [public] = written["client"].pop("jwks")["keys"]
    assert written == tomllib.loads(TEMPLATE.read_text("utf-8"))
    assert public == {name: value for name, value in private.items() if name != "d"}
    assert public["alg"] == "ES256"
    assert private["d"] not in registration.read_text("utf-8")
    main(command)
    assert json.loads(key_file.read_text()) == private


def test_another_address_goes_into_the_registration(tmp_path: Path) -> None:
    registration = tmp_path / "out.toml"
    given = ["--key-file", str(tmp_path / "k"), "--registration", str(registration)]
    main(["keygen", *given, "--base-url", "http://localhost:9000/"])
    client = tomllib.loads(registration.read_text("utf-8"))["client"]
    assert client["redirect_uris"] == ["http://localhost:9000/callback"]
    assert client["client_uri"] == "http://localhost:9000"


def test_without_a_key_the_network_says_how_to_make_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--key-file", str(tmp_path / "none"), "--data-dir", str(tmp_path)])
    assert "keygen" in capsys.readouterr().err
