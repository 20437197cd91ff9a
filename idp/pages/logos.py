"""The networks' reviewed logos, served from our own address."""

from hashlib import sha256

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.protocol.logo import PREFIX, read_logo
from idp.protocol.model import Client
from idp.web.failures import JourneyError, Trouble
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)


def logo_address(issuer: str, client: Client) -> str | None:
    """Return where our pages find a client's logo; None for one that has only a remote logo, or none."""
    if client.logo_uri is None or not client.logo_uri.startswith(PREFIX):
        return None
    version = sha256(client.logo_uri.encode()).hexdigest()[:12]
    return f"{issuer}/logos/{client.client_id}?v={version}"


@router.get("/logos/{client_id}")
async def logo(http: Request, client_id: str) -> Response:
    """Return the PNG; its address changes with its content, so it may be kept."""
    client = await context_of(http).clients.find(client_id)
    if client is None or client.logo_uri is None or not client.logo_uri.startswith(PREFIX):
        raise JourneyError(Trouble.NOT_FOUND)
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(read_logo(client.logo_uri), headers=headers, media_type="image/png")
