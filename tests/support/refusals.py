"""What a refusal looks like on the wire (RFC 6749 §5.2, RFC 6750 §3)."""

import httpx

REGISTERED = {"error", "error_description", "error_uri"}


def assert_refused(response: httpx.Response, *errors: str) -> None:
    """The request was refused with one of the errors: JSON, registered members only, nothing stored."""
    assert response.status_code in {400, 401}, f"{response.status_code} {response.text}"
    assert response.headers["content-type"] == "application/json"
    assert response.json().keys() <= REGISTERED
    assert response.json()["error"] in errors, response.text
    assert response.headers["cache-control"] == "no-store"


def assert_resource_refused(response: httpx.Response) -> None:
    """A resource refused the token, and says how it wants to be asked."""
    assert response.status_code in {400, 401}, f"{response.status_code} {response.text}"
    assert response.headers["www-authenticate"].startswith(("Bearer", "DPoP"))
