"""The policy document: which feature needs which assurance, and by when. Domain rules R2, R3.

Public, unlike the rest of the platform API: it names no person and no link, it is the same for everybody, and
whoever is held to rules may read them. A platform can fetch it through any cache, and while its own
credentials are in trouble, too.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.web.answers import problem_answer
from idp.web.requests import read_query
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)

PATH = "/account-links/policy"
_LONGEST_NUMBER = 9


@router.api_route(PATH, methods=["GET", "HEAD"])
async def feature_policy(http: Request) -> Response:
    """Return the version that holds, or the one that `?version=` names: every one stays readable.

    A link and its receipt name the version under which it was made.
    """
    sent = read_query(http).get("version")
    policies = context_of(http).feature_policy
    if sent is None:
        document = policies.document()
    else:
        is_number = sent.isascii() and sent.isdecimal() and len(sent) <= _LONGEST_NUMBER
        document = policies.document(int(sent)) if is_number else None
    if document is None:
        return problem_answer(404, "There is no such version of the policy.")
    return document.answer(http)
