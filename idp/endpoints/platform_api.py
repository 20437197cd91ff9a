"""The platform API, described: OpenAPI 3.1, for programs that make clients of it. No page shows it."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.web.state import context_of

router = APIRouter(include_in_schema=False)


@router.get("/account-links/openapi.json")
async def platform_api(http: Request) -> Response:
    """Return the description. It is the same for everybody, and any cache may keep it."""
    return context_of(http).published.platform_api.answer(http)
