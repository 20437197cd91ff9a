"""Which status lists a platform has: Token Status List §9.3. Abuse case P7.

Only their platform learns it: a count of the lists of others would tell how many members they linked.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.protocol.status_list import AGGREGATION, status_list_uri
from idp.web.answers import json_answer
from idp.web.platform_access import check_platform_reader
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)


@router.get(AGGREGATION)
async def status_list_aggregation(http: Request) -> Response:
    """Return where the platform's own lists are, for a token of its own."""
    context = context_of(http)
    access = await check_platform_reader(context, http)
    ids = await context.unit_of_work().status_lists.of_client(access.client.client_id)
    return json_answer({"status_lists": [status_list_uri(context.issuer, list_id) for list_id in ids]})
