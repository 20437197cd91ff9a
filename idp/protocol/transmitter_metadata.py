"""What the transmitter of events says of itself: SSF 1.0 §7.1, CAEP Interoperability Profile §2.3. Pure."""

from typing import Any
from urllib.parse import urlsplit

from idp.protocol.event_stream import DeliveryMethod
from idp.protocol.model import Policy

SPEC_VERSION = "1_0"
METADATA_PATH = "/.well-known/ssf-configuration"


def transmitter_metadata(policy: Policy) -> dict[str, Any]:
    """Return the Transmitter Configuration Metadata; it changes with the policy alone.

    No subject of ours is complex, so there are no `critical_subject_members`, and an empty list is left out
    (§7.2.4).
    """
    issuer = policy.issuer
    return {
        "spec_version": SPEC_VERSION,
        "issuer": issuer,
        "jwks_uri": f"{issuer}/jwks",
        "delivery_methods_supported": [method.value for method in DeliveryMethod],
        "configuration_endpoint": f"{issuer}/ssf/streams",
        "status_endpoint": f"{issuer}/ssf/status",
        "add_subject_endpoint": f"{issuer}/ssf/subjects:add",
        "remove_subject_endpoint": f"{issuer}/ssf/subjects:remove",
        "verification_endpoint": f"{issuer}/ssf/verification",
        "authorization_schemes": [{"spec_urn": "urn:ietf:rfc:6749"}],
        "default_subjects": "ALL",
    }


def transmitter_metadata_uri(issuer: str) -> str:
    """Return where the metadata stands: inserted between host and path (§7.2)."""
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}{METADATA_PATH}{parts.path}"
