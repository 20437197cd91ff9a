"""The CIBA grant: an auth_req_id for tokens, once its person has agreed. CIBA Core 1.0 §10.1."""

from idp.endpoints.answered_request import redeem_answered
from idp.endpoints.token_request import TokenRequest
from idp.protocol.decoupled_request import Kind


async def redeem_auth_req_id(request: TokenRequest) -> dict[str, object]:
    """Exchange an auth_req_id, in both delivery modes: pinged or not, a client may ask."""
    return await redeem_answered(request, "auth_req_id", Kind.CIBA)
