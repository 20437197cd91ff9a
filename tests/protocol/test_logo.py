"""Logos as they were reviewed: PNGs inside the registration."""

import base64

import pytest

from idp.protocol.client_metadata import InvalidClientMetadataError, read_client
from idp.protocol.logo import LARGEST_LOGO, PREFIX, LogoError, read_logo

PNG = b"\x89PNG\r\n\x1a\n" + b"picture"


def data_uri(picture: bytes) -> str:
    return PREFIX + base64.b64encode(picture).decode()


def test_a_png_in_a_data_address_is_read() -> None:
    assert read_logo(data_uri(PNG)) == PNG


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("https://network.example/logo.png", id="RFC 7591 §2 a remote logo is not shown"),
        pytest.param("data:image/svg+xml;base64,PHN2Zy8+", id="abuse 20 an SVG can hold scripts"),
        pytest.param("data:text/html;base64,PGI+", id="abuse 20 a page is no picture"),
        pytest.param(data_uri(b"<svg onload=alert(1)>"), id="abuse 20 a renamed SVG"),
        pytest.param(PREFIX + "not base64!", id="RFC 2397 not base64"),
        pytest.param(data_uri(PNG + bytes(LARGEST_LOGO)), id="too large"),
    ],
)
def test_anything_else_is_refused(address: str) -> None:
    with pytest.raises(LogoError):
        read_logo(address)


def test_a_registration_names_what_is_wrong_with_its_logo() -> None:
    metadata = {
        "client_name": "Network",
        "redirect_uris": ["https://network.example/callback"],
        "token_endpoint_auth_method": "client_secret_basic",
        "logo_uri": "data:image/svg+xml;base64,PHN2Zy8+",
    }
    with pytest.raises(InvalidClientMetadataError) as refused:
        read_client(metadata, {}, "network")
    assert [reason for reason in refused.value.reasons if "logo_uri" in reason]
