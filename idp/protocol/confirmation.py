"""The key a token is bound to. RFC 7800; RFC 9449 §6.1, RFC 8705 §3.1. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The key a token is bound to: RFC 7800 §3.1; exactly one member is there."""

    jkt: str | None = None
    """JWK thumbprint of a DPoP key (RFC 9449 §6.1)."""
    x5t_s256: str | None = None
    """Thumbprint of a client certificate (RFC 8705 §3.1)."""

    def as_claim(self) -> dict[str, str]:
        """Return the claim `cnf`."""
        members = {"jkt": self.jkt, "x5t#S256": self.x5t_s256}
        return {name: value for name, value in members.items() if value is not None}
