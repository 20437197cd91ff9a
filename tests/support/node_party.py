"""A relying party in Node: it speaks with the test in lines of JSON and asks it for the browser's part."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

NODE_PARTIES = Path(__file__).resolve().parents[1] / "interop" / "node"
PATIENCE = 60.0


class NodePartyError(AssertionError):
    """The relying party did not get what it needs; the message is what its library said."""


def node() -> str:
    """Return the Node to run: the one that the lock file pins, beside this Python."""
    beside = Path(sys.executable).with_name("node")
    found = str(beside) if beside.exists() else shutil.which("node")
    if found is None:
        raise NodePartyError("there is no Node: run `make test`, which installs it")
    return found


def converse(script: str, told: Mapping[str, Any], browse: Callable[[str], str]) -> dict[str, Any]:
    """Run a script of tests/interop/node with what it is told; return what it learned.

    `browse` takes the person from an address to where the provider sends them.
    """
    command = [node(), str(NODE_PARTIES / script)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            return _speak(process, told, browse)
        finally:
            process.kill()


def _speak(
    process: "subprocess.Popen[str]", told: Mapping[str, Any], browse: Callable[[str], str]
) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    say: Mapping[str, Any] = told
    while True:
        process.stdin.write(json.dumps(say) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise NodePartyError(f"it ended without a word, with status {process.wait(PATIENCE)}")
        heard = json.loads(line)
        if "browse" not in heard:
            break
        say = {"arrived": browse(heard["browse"])}
    if "learned" not in heard:
        raise NodePartyError(json.dumps(heard["failed"], indent=2, ensure_ascii=False))
    learned: dict[str, Any] = heard["learned"]
    return learned
