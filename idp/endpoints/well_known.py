"""Discovery and keys: OpenID Connect Discovery 1.0 §4, RFC 8414 §3, RFC 9728 §3, RFC 7517 §5."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.protocol.resources import ACCOUNT_LINKS, USERINFO
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)


@router.api_route("/.well-known/openid-configuration", methods=["GET", "HEAD"])
async def openid_configuration(http: Request) -> Response:
    """OpenID Connect Discovery 1.0 §4.1."""
    return context_of(http).published.metadata.answer(http)


@router.api_route("/.well-known/oauth-authorization-server", methods=["GET", "HEAD"])
async def oauth_authorization_server(http: Request) -> Response:
    """RFC 8414 §3.1; where the issuer has a path, the proxy maps the inserted form to this address."""
    return context_of(http).published.metadata.answer(http)


@router.api_route("/.well-known/oauth-protected-resource/userinfo", methods=["GET", "HEAD"])
async def userinfo_metadata(http: Request) -> Response:
    """RFC 9728 §3.1, as above where the issuer has a path."""
    return context_of(http).published.resources[USERINFO].answer(http)


@router.api_route("/.well-known/oauth-protected-resource/account-links", methods=["GET", "HEAD"])
async def account_links_metadata(http: Request) -> Response:
    """RFC 9728 §3.1."""
    return context_of(http).published.resources[ACCOUNT_LINKS].answer(http)


@router.api_route("/jwks", methods=["GET", "HEAD"])
async def jwks(http: Request) -> Response:
    """RFC 7517 §5: next, active and retiring keys."""
    return context_of(http).published.jwks.answer(http)
