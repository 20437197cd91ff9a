"""The device grant: a device_code for tokens, once somebody typed its code and agreed. RFC 8628 §3.4."""

from idp.endpoints.answered_request import redeem_answered
from idp.endpoints.token_request import TokenRequest
from idp.protocol.decoupled_request import Kind


async def redeem_device_code(request: TokenRequest) -> dict[str, object]:
    """Exchange a device_code."""
    return await redeem_answered(request, "device_code", Kind.DEVICE)
