"""Where receivers of security events begin: SSF 1.0 §7.2, and the resource of their streams: RFC 9728."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.protocol.resources import SSF
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)


@router.api_route("/.well-known/ssf-configuration", methods=["GET", "HEAD"])
async def ssf_configuration(http: Request) -> Response:
    """SSF §7.2.1; where the issuer has a path, the proxy maps the inserted form to this address."""
    return context_of(http).published.transmitter.answer(http)


@router.api_route("/.well-known/oauth-protected-resource/ssf", methods=["GET", "HEAD"])
async def ssf_metadata(http: Request) -> Response:
    """RFC 9728 §3.1, as above where the issuer has a path."""
    return context_of(http).published.resources[SSF].answer(http)
