"""The file of upstreams: what is taken, what is refused, and that no refusal quotes a value."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from idp.settings import SettingsError
from idp.upstreams.configuration import UpstreamConfigurationError, read_upstreams
from idp.upstreams.directory import configured_upstreams
from tests.support.upstream_dialect import DialectServer
from tests.support.upstream_openid import OpenIDServer
from tests.support.upstream_scene import dialect_configuration, openid_configuration


def configured() -> dict[str, Any]:
    return {
        "standard": openid_configuration(OpenIDServer()),
        "dialect": dialect_configuration(DialectServer()),
    }


def changed(path: str, value: object) -> dict[str, Any]:
    """Return the file with one member changed; None leaves it out."""
    document = copy.deepcopy(configured())
    *parents, name = path.split(".")
    place = document
    for parent in parents:
        place = place[parent]
    if value is None:
        del place[name]
    else:
        place[name] = value
    return document


def test_the_file_of_the_tests_is_read() -> None:
    found = read_upstreams(json.dumps(configured()).encode())
    assert [(upstream_id, each.kind) for upstream_id, each in found.items()] == [
        ("standard", "openid"),
        ("dialect", "dialect"),
    ]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("standard.kind", "saml"),
        ("standard.issuer", "http://id.example"),
        ("standard.issuer", "https://id.example/"),
        ("standard.issuer", "https://user@id.example"),
        ("standard.surprise", 1),
        ("standard.name", {"vi": "Sen"}),
        ("standard.name", {"vi": "Sen", "en": "Lotus", "fr": "Lotus"}),
        ("standard.scope", "profile"),
        ("standard.client_id", None),
        ("standard.id_token_algorithms", []),
        ("standard.id_token_algorithms", ["HS256"]),
        ("standard.id_token_algorithms", ["none"]),
        ("standard.client_authentication", {"method": "none"}),
        ("standard.client_authentication", {"method": "client_secret_basic"}),
        ("standard.mapping.level", None),
        ("standard.mapping.level.values", {"loa2": ["magic"]}),
        ("standard.mapping.level.values", {"loa2": ["vn-4"]}),
        ("standard.mapping.proofing", None),
        ("standard.mapping.proofing.values", {"2": "vn9"}),
        ("standard.mapping.attributes.personal_number", None),
        ("standard.mapping.attributes.name", None),
        ("standard.mapping.attributes.picture", "picture"),
        ("dialect.token_endpoint", "ftp://gate.example"),
        ("dialect.userinfo.algorithm", "RSA1_5"),
        ("dialect.userinfo.encryption", "none"),
        ("dialect.parameters", {"state": "fixed"}),
        ("dialect.fresh_parameters", {"redirect_uri": "https://evil.example"}),
        ("dialect.auth_time", None),
        ("Upper", {"kind": "openid"}),
    ],
)
def test_what_cannot_be_meant_is_refused(path: str, value: object) -> None:
    document = changed(path, value)
    if path == "standard.mapping.level":
        del document["standard"]["mapping"]["methods"]
    with pytest.raises(UpstreamConfigurationError):
        read_upstreams(json.dumps(document).encode())


@pytest.mark.parametrize("document", [b"", b"[]", b'{"a":1,"a":2}', b'{"a":{}}', b"\xff"])
def test_what_is_no_file_of_upstreams_is_refused(document: bytes) -> None:
    with pytest.raises(UpstreamConfigurationError):
        read_upstreams(document)


def test_an_id_that_could_be_an_address_of_its_own_is_refused() -> None:
    document = {"a/b": configured()["standard"]}
    with pytest.raises(UpstreamConfigurationError, match="an id has"):
        read_upstreams(json.dumps(document).encode())


def written(folder: Path, document: dict[str, Any], **files: str) -> Path:
    key = ECKey.generate_key("P-256", {"kid": "ours"})
    given = {
        "standard.jwk": json.dumps(key.as_dict(private=True)),
        "dialect.jwk": json.dumps(OctKey.generate_key(256).as_dict(private=True)),
        "dialect.secret": "a-secret-of-some-length",
    } | {name.replace("_", "."): text for name, text in files.items()}
    for name, text in given.items():
        (folder / name).write_text(text)
    path = folder / "upstreams.json"
    path.write_text(json.dumps(document))
    return path


def test_the_files_that_it_names_are_read_from_beside_it(tmp_path: Path) -> None:
    configured_upstreams(written(tmp_path, configured()))
    configured_upstreams(None)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("standard_jwk", "{}"),
        ("standard_jwk", "not a key"),
        ("standard_jwk", json.dumps(ECKey.generate_key("P-256").as_dict(private=True))),
        ("standard_jwk", json.dumps(ECKey.generate_key("P-256", {"kid": "a"}).as_dict(private=False))),
        ("standard_jwk", json.dumps(RSAKey.generate_key(2048, {"kid": "a"}).as_dict(private=True))),
        ("dialect_jwk", json.dumps(OctKey.generate_key(128).as_dict(private=True))),
        ("dialect_jwk", json.dumps(ECKey.generate_key("P-256").as_dict(private=True))),
        ("dialect_secret", "short"),
        ("dialect_secret", "two lines of\nsome length"),
        ("dialect_secret", "bí mật của chúng ta"),
    ],
    ids=[
        "empty",
        "no JSON",
        "no kid",
        "public",
        "another type",
        "too short a key",
        "another type for dir",
        "short",
        "two lines",
        "not ASCII",
    ],
)
def test_a_key_or_secret_that_does_not_fit_is_refused_unquoted(tmp_path: Path, name: str, text: str) -> None:
    path = written(tmp_path, configured(), **{name: text})
    with pytest.raises(SettingsError, match="IDP_UPSTREAMS") as refused:
        configured_upstreams(path)
    assert not [part for part in text.split('"') if len(part) > 12 and part in str(refused.value)]


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, configured())
    (tmp_path / "dialect.jwk").unlink()
    with pytest.raises(SettingsError, match=r"dialect\.jwk"):
        configured_upstreams(path)
    with pytest.raises(SettingsError, match="No such file"):
        configured_upstreams(tmp_path / "nowhere.json")


def test_a_secret_that_encoders_of_basic_write_differently_is_refused_there(tmp_path: Path) -> None:
    document = changed(
        "dialect.client_authentication", {"method": "client_secret_basic", "secret_file": "dialect.secret"}
    )
    with pytest.raises(SettingsError, match="client_secret_post"):
        configured_upstreams(written(tmp_path, document, dialect_secret="a+secret/with=characters"))
