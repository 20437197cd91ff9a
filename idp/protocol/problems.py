"""Problems of the platform API: what went wrong, as a document that a program can tell apart. RFC 9457. Pure.

Refusals that have a registered OAuth code keep it, as the last part of `type` and as the member `error`
(RFC 6750 §3.1); the others are named here. Every `type` is an address below the issuer that explains itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from idp.protocol.errors import OAuthError, ProtocolError

PATH = "/problems"
MEDIA_TYPE = "application/problem+json"


class Problem(StrEnum):
    """What a request to the platform API may run into, besides the registered codes."""

    NO_SUCH_LINK = "no_such_link"
    """None at all, another platform's, or one that was never redeemed: they look alike (abuse case P6)."""
    NO_SUCH_ADDRESS = "no_such_address"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    IDEMPOTENCY_KEY_REQUIRED = "idempotency_key_required"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    """The key was used for another request (draft-ietf-httpapi-idempotency-key-header §2.7)."""
    INVALID_CURSOR = "invalid_cursor"
    STATE_CONFLICT = "state_conflict"
    """The link's state does not allow it."""
    ACCOUNT_ALREADY_LINKED = "account_already_linked"
    """Another live link of the same platform has this account id."""
    PRECONDITION_FAILED = "precondition_failed"
    """The link was changed since it was read (RFC 9110 §13.1.1)."""
    CHANGED_MEANWHILE = "changed_meanwhile"
    """Others change the same link at this moment, again and again."""


@dataclass(frozen=True, slots=True)
class ProblemType:
    """What is the same whenever a problem occurs: RFC 9457 §3.1."""

    status: int
    title: str
    remedy: str
    """What the caller can do about it, in one sentence."""


PROBLEMS: Mapping[Problem, ProblemType] = {
    Problem.NO_SUCH_LINK: ProblemType(
        404, "No such account link", "Check the link_id; another platform's links look like none."
    ),
    Problem.NO_SUCH_ADDRESS: ProblemType(
        404, "No such address", "Take the addresses from /account-links/openapi.json."
    ),
    Problem.METHOD_NOT_ALLOWED: ProblemType(
        405, "Method not allowed", "Take the methods from /account-links/openapi.json."
    ),
    Problem.UNSUPPORTED_MEDIA_TYPE: ProblemType(
        415, "Unsupported media type", "Send JSON and say so in Content-Type."
    ),
    Problem.IDEMPOTENCY_KEY_REQUIRED: ProblemType(
        400, "Idempotency-Key required", "Send a fresh random key in quotes, and the same one when you retry."
    ),
    Problem.IDEMPOTENCY_KEY_REUSED: ProblemType(
        422, "Idempotency-Key used for another request", "Take a fresh key for every new request."
    ),
    Problem.INVALID_CURSOR: ProblemType(
        400, "Invalid cursor", "Send a cursor as it was given to you, or none to begin."
    ),
    Problem.STATE_CONFLICT: ProblemType(
        409, "Not possible in this state of the link", "Read the link; link_status says how it stands."
    ),
    Problem.ACCOUNT_ALREADY_LINKED: ProblemType(
        409, "Account already linked", "Find the link by this account_id, and end it first if it is wrong."
    ),
    Problem.PRECONDITION_FAILED: ProblemType(
        412, "Changed since it was read", "Read the link again, decide again, and send its new ETag."
    ),
    Problem.CHANGED_MEANWHILE: ProblemType(
        409, "Changed by somebody else at this moment", "Send the same request again after a moment."
    ),
}


OAUTH_PROBLEMS: Mapping[str, ProblemType] = {
    "invalid_request": ProblemType(400, "Bad Request", "Mend what the detail names."),
    "invalid_token": ProblemType(
        401, "Unauthorized", "Ask for another access token, bound to your key, and use it as it is bound."
    ),
    "insufficient_scope": ProblemType(403, "Forbidden", "Ask for a token with the scope that is named."),
    "insufficient_user_authentication": ProblemType(
        401, "Unauthorized", "Have the person sign in as acr_values and max_age of the challenge ask."
    ),
    "invalid_dpop_proof": ProblemType(401, "Unauthorized", "Make a fresh proof for every request."),
    "use_dpop_nonce": ProblemType(
        401, "Unauthorized", "Repeat the request with the nonce of the header DPoP-Nonce in a fresh proof."
    ),
    "temporarily_unavailable": ProblemType(
        503, "Service Unavailable", "Try again after the seconds of Retry-After."
    ),
    "server_error": ProblemType(
        500, "Internal Server Error", "Tell the operator the reference that the detail holds."
    ),
}
"""The registered codes that the platform API answers with: RFC 6750 §3.1, RFC 9449 §7.1, RFC 9470 §3."""


class ProblemError(ProtocolError):
    """A request to the platform API that runs into a problem without a registered code."""

    def __init__(self, problem: Problem, description: str, **members: str) -> None:
        super().__init__(description)
        self.problem = problem
        self.members = members
        """Extension members (RFC 9457 §3.2)."""

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        return PROBLEMS[self.problem].status

    def as_document(self, issuer: str) -> dict[str, str | int]:
        """Return the members of the problem document: RFC 9457 §3."""
        kind = PROBLEMS[self.problem]
        return {
            "type": problem_uri(issuer, self.problem),
            "title": kind.title,
            "status": kind.status,
            "detail": self.description,
            **self.members,
        }


def problem_uri(issuer: str, name: str) -> str:
    """Return the address that names a kind of problem, and explains it."""
    return f"{issuer}{PATH}/{name}"


def find_problem_type(name: str) -> ProblemType | None:
    """Return what a kind of problem is, by the last part of its address."""
    return PROBLEMS[Problem(name)] if name in set(Problem) else OAUTH_PROBLEMS.get(name)


def oauth_problem(error: OAuthError, issuer: str) -> dict[str, str | int]:
    """Return a refusal with a registered code as a problem document; its OAuth members stay beside it."""
    return {
        "type": problem_uri(issuer, error.error),
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": error.description,
        **error.as_parameters(),
    }
