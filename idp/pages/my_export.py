"""Take my data along: what is in the file, and the file itself in two forms. Rule R9."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.pages.export_views import ExportPage
from idp.pages.frame import show
from idp.pages.own_pages import strong_or_way
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)

VISIT = "export"


@router.get("/my/export")
async def export(http: Request) -> Response:
    """Say what is in the file, and where it is."""
    context = context_of(http)
    signed_in = await strong_or_way(context, context.unit_of_work(), http, context.clock(), VISIT)
    if isinstance(signed_in, Response):
        return signed_in
    base = f"{context.issuer}/my/activity/export"
    return show(http, ExportPage(json_uri=f"{base}.json", file_uri=f"{base}.html"))
