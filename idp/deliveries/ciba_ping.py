"""Tells a client that its backchannel request was answered. CIBA Core 1.0 §10.2.

Not how: the answer waits at the token endpoint, and a ping that is lost costs nothing, for a client may poll
besides. So whatever the client answers is a receipt; only one that could not be reached, or that broke, is
tried again, and no longer than the request lives.
"""

from idp.deliveries.world import DeliveryFailedError, World
from idp.outbound.addresses import OutboundRefusedError
from idp.store.outbox import Delivery


async def send_ping(world: World, delivery: Delivery) -> None:
    """Send one ping. Raises DeliveryFailedError when it is worth another try.

    §10.2: 200 or 204, with or without a body, is success; a redirect is not followed; a client that answers
    401 or 403 does not know its own token, and would not know it the next time.
    """
    client = await world.clients.find(delivery.client_id)
    content = delivery.content
    if client is None or client.backchannel_client_notification_endpoint is None:
        return
    if world.clock().timestamp() >= content["expires_at"]:
        return
    try:
        status = await world.http.post_json(
            client.backchannel_client_notification_endpoint,
            {"auth_req_id": content["auth_req_id"]},
            {"Authorization": f"Bearer {content['client_notification_token']}"},
        )
    except OutboundRefusedError as error:
        raise DeliveryFailedError(str(error)) from error
    if status >= 500:
        raise DeliveryFailedError(f"the answer was {status}")
