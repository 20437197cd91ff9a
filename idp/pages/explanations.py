"""Pages that explain: what an `acr` value means, at the address that is the value."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.identity.assurance import parse_acr
from idp.pages.frame import show
from idp.pages.views import AcrPage
from idp.web.answers import see_other
from idp.web.failures import JourneyError, Trouble
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)


@router.get("/")
async def home(http: Request) -> Response:
    """Lead whoever types the address to what is theirs."""
    return see_other(f"{context_of(http).issuer}/my")


@router.get("/acr/{value}")
async def acr_page(http: Request, value: str) -> Response:
    """Explain one level of authentication."""
    acr = parse_acr(value, context_of(http).issuer)
    if acr is None:
        raise JourneyError(Trouble.NOT_FOUND)
    return show(http, AcrPage(acr=acr))
