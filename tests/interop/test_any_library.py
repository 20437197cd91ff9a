"""The lines of clients/ANY_LIBRARY.md: two sign a person in as they stand, the others name what is run."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support.main_job import Scene
from tests.support.node_party import NODE_PARTIES, converse
from tests.support.walk import visitor, walk

INTEROP = Path(__file__).parent
CLIENTS = INTEROP.parents[1] / "clients"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

DRIVER = f"""
import {{ converse }} from {str(NODE_PARTIES / "conversation.mjs")!r}
import {{ begin, finish }} from './example.mjs'

converse(async (told, browse) => {{
  const session = {{}}
  return finish(session, await browse(await begin(session)))
}})
"""


def block(heading: str, *, place: int = 0) -> str:
    """Return an example below a heading."""
    page = (CLIENTS / "ANY_LIBRARY.md").read_text("utf-8").partition(f"\n## {heading}\n")[2]
    text: str = BLOCK.findall(page.partition("\n## ")[0])[place][1]
    return text


@pytest.fixture(scope="module")
def secret(scene: Scene) -> str:
    """Register the example of profile oidc, as its file stands."""
    (applied,) = scene.provider.run("clients", "apply", CLIENTS / "registrations" / "examples" / "oidc.toml")[
        "clients"
    ]
    return str(applied["client_secret"])


@pytest.fixture
def _environment(scene: Scene, secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISSUER", scene.provider.url)
    monkeypatch.setenv("CLIENT_SECRET", secret)
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")


@pytest.mark.needs("openid-client")
@pytest.mark.usefixtures("_environment")
def test_the_lines_for_openid_client_sign_a_person_in(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(NODE_PARTIES / "node_modules")
    (tmp_path / "example.mjs").write_text(block("openid-client"), encoding="utf-8")
    (tmp_path / "driver.mjs").write_text(DRIVER, encoding="utf-8")
    person = scene.person("Nguyễn Thị Lan")
    with visitor() as browser:
        told = converse(
            str(tmp_path / "driver.mjs"), {}, lambda address: walk(browser, address, person, ticked=("name",))
        )
    assert_is(told, person.name)


@pytest.mark.filterwarnings("ignore:The httpx module is deprecated")
@pytest.mark.usefixtures("_environment")
def test_the_lines_for_authlib_sign_a_person_in(scene: Scene) -> None:
    lines = ModuleType("any_library_example")
    exec(compile(block("Authlib"), "clients/ANY_LIBRARY.md", "exec"), lines.__dict__)
    person, session = scene.person("H'Len Niê"), dict[str, str]()
    with visitor() as browser, lines.client:
        callback = walk(browser, lines.begin(session), person, ticked=("name",))
        told = lines.finish(session, callback)
    assert_is(told, person.name)


def assert_is(told: Mapping[str, Any], name: str) -> None:
    assert (told["name"], told.keys() - {"sub"}) == (name, {"name"})


def test_what_is_shown_of_openid_client_is_what_is_run() -> None:
    script = (NODE_PARTIES / "openid_client.mjs").read_text("utf-8")
    shown = set(re.findall(r"\bclient\.(\w+)", block("openid-client", place=1)))
    assert shown
    assert [name for name in sorted(shown) if f"client.{name}(" not in script] == []


@pytest.mark.parametrize(
    ("heading", "name", "sources"),
    [
        ("oidc-client-ts", r"^  (\w+):", ("test_oidc_client_ts.py", "single_page_app.html")),
        ("mod_auth_openidc", r"^(OIDC\w+)", ("test_mod_auth_openidc.py",)),
    ],
)
def test_what_is_shown_of_a_library_is_what_is_run(heading: str, name: str, sources: tuple[str, ...]) -> None:
    run = "".join((INTEROP / source).read_text("utf-8") for source in sources)
    shown = re.findall(name, block(heading), re.MULTILINE)
    assert shown
    assert [each for each in shown if each not in run] == []
