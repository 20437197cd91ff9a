"""Tells one client that one session is over. OpenID Connect Back-Channel Logout 1.0 §2.5, §2.8."""

import secrets

from idp.deliveries.world import DeliveryFailedError, World
from idp.protocol.errors import InvalidClientError
from idp.protocol.jwe import DEFAULT_CONTENT_ENCRYPTION, encrypt, find_encryption_key
from idp.protocol.logout_token import LOGOUT_TOKEN_TYPE, logout_token_claims
from idp.protocol.model import Client
from idp.store.outbox import Delivery

BACKCHANNEL_LOGOUT = "backchannel_logout"


async def send_logout_token(world: World, delivery: Delivery) -> None:
    """Send a fresh logout token. Raises DeliveryFailedError unless the client took it.

    A client that is gone or wants to hear nothing any more is not told, and nothing is left to do. A
    suspended one is: its people want to be signed out there too.
    """
    client = await world.clients.find(delivery.client_id)
    if client is None or client.backchannel_logout_uri is None:
        return
    claims = logout_token_claims(
        world.policy,
        client.client_id,
        subject=delivery.content["subject"],
        sid=delivery.content["sid"],
        jti=secrets.token_urlsafe(16),
        now=world.clock(),
    )
    # §2.4: signed as the client's ID tokens are; there is no algorithm `none` to choose.
    signer = world.custody.signing.signer(client.id_token_signed_response_alg)
    token = signer.sign(claims, typ=LOGOUT_TOKEN_TYPE)
    if client.id_token_encrypted_response_alg is not None:
        token = await _encrypted(world, client, token, client.id_token_encrypted_response_alg)
    await world.post_form(client.backchannel_logout_uri, {"logout_token": token})


async def _encrypted(world: World, client: Client, token: str, algorithm: str) -> str:
    """Encrypt as the client's ID tokens are: §2.6, 1 has it refuse a logout token that is not.

    Raises DeliveryFailedError while the client publishes no key for it.
    """
    try:
        keys = await world.clients.key_set_of(client, world.clock())
    except InvalidClientError as error:
        raise DeliveryFailedError("the client's jwks_uri could not be read") from error
    key = find_encryption_key(keys.document, algorithm)
    if key is None:
        raise DeliveryFailedError(f"the client's key set has no key to encrypt to with {algorithm}")
    return encrypt(
        token, key, client.id_token_encrypted_response_enc or DEFAULT_CONTENT_ENCRYPTION, is_nested=True
    )
