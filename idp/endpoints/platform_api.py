"""The platform API, described: OpenAPI 3.1, and what each kind of problem means. No page shows it."""

from dataclasses import asdict

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.protocol.problems import PATH, Problem, ProblemError, find_problem_type, problem_uri
from idp.web.answers import json_answer
from idp.web.state import context_of

router = APIRouter(include_in_schema=False)


@router.get("/account-links/openapi.json")
async def platform_api(http: Request) -> Response:
    """Return the description. It is the same for everybody, and any cache may keep it."""
    return context_of(http).published.platform_api.answer(http)


@router.get(f"{PATH}/{{name}}")
async def problem_type(http: Request, name: str) -> Response:
    """Explain a kind of problem at the address that is its `type`: RFC 9457 §3.1.1. Raises ProblemError."""
    found = find_problem_type(name)
    if found is None:
        raise ProblemError(Problem.NO_SUCH_ADDRESS, "there is no such kind of problem")
    return json_answer({"type": problem_uri(context_of(http).issuer, name), **asdict(found)})
