"""Our few static files. Their address carries a version, so a browser need not ask for them again."""

import gzip
from collections.abc import MutableMapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from idp.web.answers import takes_gzip

COMPRESSED = frozenset({"text/javascript", "application/javascript", "image/svg+xml"})
"""What becomes a third of its size. Pages are another matter: `idp.web.stylesheet`."""

_OF_PLAIN_BYTES = frozenset({"content-length", "accept-ranges"})


class VersionedFiles(StaticFiles):
    """Files that may be kept for a year by whoever asked for a version of them (RFC 8246)."""

    async def get_response(self, path: str, scope: MutableMapping[str, Any] | Scope) -> Response:
        """Return a file; without a version in the address it is checked again each time."""
        answer = await super().get_response(path, scope)
        if isinstance(answer, FileResponse) and answer.media_type in COMPRESSED:
            answer.headers["Vary"] = "Accept-Encoding"
            if scope["method"] == "GET" and takes_gzip(Headers(scope=scope)):
                answer = _compressed_answer(answer)
        is_versioned = b"v=" in scope["query_string"]
        answer.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if is_versioned else "no-cache"
        )
        return answer


def _compressed_answer(answer: FileResponse) -> Response:
    """Return the same file as gzip (RFC 9110 §8.4.1.3), under a weak validator: the bytes are others."""
    headers = {name: value for name, value in answer.headers.items() if name not in _OF_PLAIN_BYTES}
    headers |= {"content-encoding": "gzip", "etag": f"W/{headers['etag']}"}
    return Response(_compressed(str(answer.path), headers["etag"]), headers=headers)


@lru_cache(maxsize=64)
def _compressed(path: str, _version: str) -> bytes:
    return gzip.compress(Path(path).read_bytes(), mtime=0)
