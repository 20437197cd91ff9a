"""Tells one client that one session is over. OpenID Connect Back-Channel Logout 1.0 §2.5, §2.8."""

import secrets

from idp.deliveries.world import World
from idp.protocol.logout_token import LOGOUT_TOKEN_TYPE, logout_token_claims
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
    await world.post_form(client.backchannel_logout_uri, {"logout_token": token})
