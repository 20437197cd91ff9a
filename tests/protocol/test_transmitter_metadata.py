"""What the transmitter of events says of itself. SSF 1.0 §7."""

from idp.protocol.model import Policy
from idp.protocol.transmitter_metadata import transmitter_metadata, transmitter_metadata_uri


def test_it_names_everything_that_a_receiver_needs_and_nothing_empty() -> None:
    """DISC-27, DISC-28: SSF §7.1, §7.2.4."""
    issuer = "https://id.example/vn"
    document = transmitter_metadata(Policy(issuer=issuer))
    assert (document["spec_version"], document["issuer"]) == ("1_0", issuer)
    addresses = [name for name in document if name.endswith(("_endpoint", "_uri"))]
    assert len(addresses) == 6
    assert all(document[name].startswith(f"{issuer}/") for name in addresses)
    assert document["delivery_methods_supported"] == ["urn:ietf:rfc:8935", "urn:ietf:rfc:8936"]
    assert document["authorization_schemes"] == [{"spec_urn": "urn:ietf:rfc:6749"}]
    assert document["default_subjects"] == "ALL"
    assert all(document.values())


def test_it_stands_beside_the_host() -> None:
    """SSF §7.2: inserted between host and path."""
    assert (
        transmitter_metadata_uri("https://id.example") == "https://id.example/.well-known/ssf-configuration"
    )
    assert transmitter_metadata_uri("https://id.example/vn") == (
        "https://id.example/.well-known/ssf-configuration/vn"
    )
