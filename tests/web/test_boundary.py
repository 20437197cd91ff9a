"""The outermost layer: whoever hangs up is no fault of ours."""

import json
from pathlib import Path

import pytest
from starlette.types import Message

from tests.support.provider import running_provider

pytestmark = pytest.mark.anyio


async def test_a_caller_who_hangs_up_is_logged_as_gone_and_not_as_a_fault(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with running_provider(sqlite_url, tmp_path) as provider:
        sent: list[Message] = []

        async def hang_up() -> Message:
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        headers = [(b"content-type", b"application/x-www-form-urlencoded")]
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/token",
            "raw_path": b"/token",
            "query_string": b"",
            "headers": headers,
            "client": ("203.0.113.7", 40000),
        }
        await provider.asgi(scope, hang_up, send)
        provider.context.log.flush()
        lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
        assert sent == []
        assert [(line.get("gone"), line.get("fault")) for line in lines] == [(True, None)]
