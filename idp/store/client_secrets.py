"""Client secrets as they are kept: hashed, and sealed as well where an HMAC is made with them.

OpenID Connect Core §10.1: client_secret_jwt needs the secret itself; every other method needs only to know it
again. So only clients of that method have one that could be opened, and only with our data keys.
"""

import secrets
from dataclasses import replace
from datetime import datetime

from idp.protocol.model import Client, ClientSecret
from idp.protocol.profiles import CLIENT_SECRET_JWT, SECRET_METHODS
from idp.store.encoding import hash_secret
from idp.store.sealing import DataSeal


def secret_context(client_id: str) -> bytes:
    """Return what a sealed secret is bound to: it opens for its own client alone."""
    return f"clients.secrets\x00{client_id}".encode()


def draw_client_secret() -> str:
    """Make a client secret: 256 random bits, so that a plain hash keeps it (OpenID Connect Core §16.19)."""
    return secrets.token_urlsafe(32)


def secrets_still_usable(client: Client, kept: tuple[ClientSecret, ...]) -> tuple[ClientSecret, ...]:
    """Return what of the secrets that were kept the client's registered method can use.

    None is left that no method needs, and no secret stays openable where its hash is enough. One that was
    only hashed is of no use to client_secret_jwt: such a client needs a new one.
    """
    method = client.token_endpoint_auth_method
    if method not in SECRET_METHODS:
        return ()
    if method == CLIENT_SECRET_JWT:
        return tuple(secret for secret in kept if secret.sealed is not None)
    return tuple(replace(secret, sealed=None) for secret in kept)


def new_client_secret(
    seal: DataSeal, client: Client, secret: str, now: datetime, expires_at: datetime | None = None
) -> ClientSecret:
    """Return a new secret as it is kept for this client's registered method."""
    sealed = None
    if client.token_endpoint_auth_method == CLIENT_SECRET_JWT:
        sealed = seal.seal(secret.encode(), secret_context(client.client_id))
    return ClientSecret(hash_secret(secret), now, expires_at, sealed)
