"""Encryption to a client, with the key and the algorithms that it registered. OpenID Connect Core §10.2."""

from idp.protocol.errors import InvalidClientError
from idp.protocol.jwe import DEFAULT_CONTENT_ENCRYPTION, encrypt, find_encryption_key
from idp.protocol.model import Client
from idp.web.state import Context


def encrypt_to_client(
    context: Context,
    client: Client,
    content: str | bytes,
    *,
    algorithm: str,
    encryption: str | None,
    is_nested: bool = True,
) -> str:
    """Return the content as a JWE for the client. Its key set has been fetched by then.

    Raises InvalidClientError when it publishes no key for the algorithm: nothing leaves unencrypted instead.
    """
    key = find_encryption_key(context.clients.known_key_set(client).document, algorithm)
    if key is None:
        raise InvalidClientError(f"the client's key set has no key to encrypt to with {algorithm}")
    return encrypt(content, key, encryption or DEFAULT_CONTENT_ENCRYPTION, is_nested=is_nested)
