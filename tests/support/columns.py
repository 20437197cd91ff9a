"""The columns of the conformance matrix: how a client of each profile is registered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.checklist import every_column


@dataclass(frozen=True)
class Column:
    """A profile, and of its combinations one."""

    name: str
    profile: str
    method: str = "client_secret_basic"
    sender_constraint: str | None = None
    """dpop, mtls or None."""
    is_openid: bool = True
    is_pushed: bool = False
    is_signed: bool = False
    """Whether requests and responses are signed: JAR and JARM."""
    algorithm: str = "RS256"
    """What ID tokens are signed with."""

    @property
    def scope(self) -> str:
        return "openid offline_access" if self.is_openid else "account_links.read offline_access"

    @property
    def registered_scope(self) -> str:
        return (
            "openid profile email phone address offline_access"
            if self.is_openid
            else "account_links.read account_links.manage offline_access"
        )

    def metadata(self) -> Mapping[str, Any]:
        """Return what the column adds to a registration."""
        described: dict[str, Any] = {
            "token_endpoint_auth_method": self.method,
            "scope": self.registered_scope,
            "id_token_signed_response_alg": self.algorithm,
        }
        if self.sender_constraint == "dpop":
            described["dpop_bound_access_tokens"] = True
        if self.sender_constraint == "mtls":
            described["tls_client_certificate_bound_access_tokens"] = True
        if self.is_signed:
            described["request_object_signing_alg"] = "ES256"
            described["authorization_signed_response_alg"] = "ES256"
            described["introspection_signed_response_alg"] = "ES256"
        if self.profile == "logout":
            described["post_logout_redirect_uris"] = ["https://rp.example/goodbye"]
        if self.profile == "ciba":
            described |= {
                "grant_types": ["urn:openid:params:grant-type:ciba", "refresh_token"],
                "redirect_uris": [],
                "response_types": [],
                "backchannel_token_delivery_mode": "poll",
                "backchannel_authentication_request_signing_alg": "ES256",
            }
        return described


def _fapi2(name: str, method: str, sender_constraint: str, **more: Any) -> Column:
    profile = more.pop("profile", "fapi2")
    return Column(name, profile, method, sender_constraint, is_pushed=True, algorithm="ES256", **more)


COLUMNS: Mapping[str, Column] = {
    column.name: column
    for column in (
        Column("oidc", "oidc"),
        Column("logout", "logout"),
        _fapi2("fapi2-jwt-dpop", "private_key_jwt", "dpop"),
        _fapi2("fapi2-jwt-mtls", "private_key_jwt", "mtls"),
        _fapi2("fapi2-mtls-dpop", "self_signed_tls_client_auth", "dpop"),
        _fapi2("fapi2-mtls-mtls", "self_signed_tls_client_auth", "mtls"),
        _fapi2("fapi2-oauth", "private_key_jwt", "dpop", is_openid=False),
        _fapi2("fapi2-ms", "private_key_jwt", "dpop", profile="fapi2-ms", is_signed=True),
        Column("ciba", "ciba", "private_key_jwt", "mtls", algorithm="ES256"),
        Column("ida", "ida"),
    )
}
assert tuple(COLUMNS) == every_column()
