"""One way out: every request to the provider passes through here, bounded and without redirects."""

import json
from dataclasses import dataclass
from typing import Any

import httpx

from .errors import ProviderUnavailableError

LARGEST_ANSWER = 256 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers and a body of bounded size."""

    status: int
    headers: httpx.Headers
    body: bytes

    def json_object(self) -> dict[str, Any]:
        """Return the body as a JSON object. Raises ProviderUnavailableError when it is none."""
        try:
            document = json.loads(self.body)
        except ValueError as error:
            raise ProviderUnavailableError(f"status {self.status} without JSON") from error
        if not isinstance(document, dict):
            raise ProviderUnavailableError(f"status {self.status} without a JSON object")
        return document


async def send(http: httpx.AsyncClient, request: httpx.Request, *, largest: int = LARGEST_ANSWER) -> Answer:
    """Send one request. Raises ProviderUnavailableError for network trouble, 5xx and oversized answers.

    Redirects are never followed: they could carry a code or an assertion to somebody else.
    """
    body = bytearray()
    try:
        response = await http.send(request, stream=True, follow_redirects=False)
        try:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > largest:
                    raise ProviderUnavailableError(f"{request.url} answered with too much")
        finally:
            await response.aclose()
    except httpx.HTTPError as error:
        raise ProviderUnavailableError(f"{request.url}: {type(error).__name__}") from error
    if response.status_code >= 500:
        raise ProviderUnavailableError(f"{request.url} answered {response.status_code}")
    return Answer(response.status_code, response.headers, bytes(body))
