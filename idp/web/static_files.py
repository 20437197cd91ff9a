"""Our few static files. Their address carries a version, so a browser need not ask for them again."""

from collections.abc import MutableMapping
from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope


class VersionedFiles(StaticFiles):
    """Files that may be kept for a year by whoever asked for a version of them (RFC 8246)."""

    async def get_response(self, path: str, scope: MutableMapping[str, Any] | Scope) -> Response:
        """Return a file; without a version in the address it is checked again each time."""
        answer = await super().get_response(path, scope)
        is_versioned = b"v=" in scope["query_string"]
        answer.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if is_versioned else "no-cache"
        )
        return answer
