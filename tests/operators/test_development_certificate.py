from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from idp.operators.development_certificate import VALIDITY, development_certificate

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def test_it_is_for_this_machine_and_its_key_is_for_its_owner(tmp_path: Path) -> None:
    files = development_certificate(tmp_path / "tls", NOW)
    certificate = x509.load_pem_x509_certificate(files.chain.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert certificate.not_valid_after_utc == NOW + VALIDITY
    assert files.key.stat().st_mode & 0o777 == 0o600
    files.check()


def test_it_is_made_once_and_again_when_it_is_about_to_end(tmp_path: Path) -> None:
    first = development_certificate(tmp_path, NOW).chain.read_bytes()
    assert development_certificate(tmp_path, NOW + timedelta(days=300)).chain.read_bytes() == first
    assert development_certificate(tmp_path, NOW + timedelta(days=340)).chain.read_bytes() != first


@pytest.mark.parametrize("missing", ["certificate.pem", "key.pem"])
def test_a_half_that_is_missing_makes_both_anew(tmp_path: Path, missing: str) -> None:
    files = development_certificate(tmp_path, NOW)
    (tmp_path / missing).unlink()
    assert development_certificate(tmp_path, NOW) == files
    files.check()


def test_a_damaged_one_is_replaced(tmp_path: Path) -> None:
    files = development_certificate(tmp_path, NOW)
    files.chain.write_text("damaged")
    development_certificate(tmp_path, NOW).check()
