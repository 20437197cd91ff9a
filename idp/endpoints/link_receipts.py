"""Receipts of account links: what a platform keeps, and may ask for again. Requirement R1.

Every code exchange that ends with an active link gives one. Here is one for whoever lost theirs, and for
links that are older than receipts.
"""

from datetime import timedelta

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.endpoints.account_links import find_visible
from idp.identity.account_links import Status
from idp.identity.link_upkeep import status_at
from idp.protocol.link_receipt import MEDIA_TYPE, RECEIPT_TYPE, has_receipt, receipt_claims
from idp.protocol.problems import Problem, ProblemError
from idp.web.answers import NO_STORE, problem_answer, with_retry_after
from idp.web.platform_access import check_reader
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)

_SOON = timedelta(minutes=1)


@router.get("/account-links/{link_id}/receipt")
async def link_receipt(http: Request, link_id: str) -> Response:
    """Return a receipt, signed now; with a person's token, of a link of that person's alone.

    Another's link looks exactly like none. Raises ProblemError.
    """
    context = context_of(http)
    access, now = await check_reader(context, http), context.clock()
    link = await find_visible(context, access, link_id)
    status = status_at(link, now)
    if status is not Status.ACTIVE:
        raise ProblemError(Problem.STATE_CONFLICT, f"An account link that is {status} has no receipt.")
    if not has_receipt(link):
        answer = problem_answer(503, "This link is older than receipts; it gets one within minutes.")
        return with_retry_after(answer, _SOON)
    signer = context.custody.signing.signer(access.client.id_token_signed_response_alg)
    receipt = signer.sign(receipt_claims(link, context.issuer, now), typ=RECEIPT_TYPE)
    return Response(receipt, headers=NO_STORE, media_type=MEDIA_TYPE)
