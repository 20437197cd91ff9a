"""Keys that signed once, for what is verified for years. OpenID Federation 1.0 §8.7."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.protocol.historical_keys import HISTORICAL_KEYS
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)


@router.api_route(HISTORICAL_KEYS, methods=["GET", "HEAD"])
async def federation_historical_keys(http: Request) -> Response:
    """Return the signed set of former keys (§8.7.2)."""
    return context_of(http).published.historical_keys.answer(http)
