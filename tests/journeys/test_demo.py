"""`make demo` with the real programs: it starts, explains itself, keeps the data and stops cleanly."""

import os
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import pytest

from tests.support.html_forms import Html
from tests.support.postgresql import free_port
from tests.support.served import IDP, ROOT

STEPS = (
    "Creating the database",
    "Importing fictitious people",
    "Making the sample network's key",
    "Registering the sample network",
)


@dataclass
class Demo:
    """One demonstration in a folder of its own, on ports of its own."""

    directory: Path
    provider_port: int = field(default_factory=free_port)
    network_port: int = field(default_factory=free_port)
    process: "subprocess.Popen[str] | None" = None
    options: tuple[str, ...] = ()

    def start(self) -> "subprocess.Popen[str]":
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
        ports = ("--port", str(self.provider_port), "--network-port", str(self.network_port))
        self.process = subprocess.Popen(
            [IDP, "demo", *ports, *self.options, "--directory", self.directory],
            env=inherited,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self.process

    def start_and_read_guide(self) -> str:
        """Start, and return what is printed until the guide's last line."""
        process = self.start()
        assert process.stdout is not None
        guide = ""
        for line in process.stdout:
            guide += line
            if "Ctrl-C" in line:
                return guide
        raise AssertionError(process.communicate()[1])

    def family(self) -> list[psutil.Process]:
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)

    def interrupt(self) -> tuple[int, str]:
        """Press Ctrl-C; return the exit status and what was said."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        _, said = self.process.communicate(timeout=30)
        return self.process.returncode, said


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    made = Demo(tmp_path / "demo")
    yield made
    if made.process is not None and made.process.poll() is None:
        made.process.terminate()
        made.process.communicate(timeout=30)


def answer_of(address: str) -> httpx.Response:
    with httpx.Client(trust_env=False) as http:
        return http.get(address)


def test_it_starts_explains_itself_keeps_the_data_and_stops_cleanly(demo: Demo) -> None:
    guide = demo.start_and_read_guide()
    for said in (
        f"http://localhost:{demo.network_port}",
        f"http://localhost:{demo.provider_port}/my/accounts",
        "Nguyễn Thị Lan",
        "000192000001",
        "hoa sen ven ho",
        "demo code 000192000001",
        "make demo-reset",
    ):
        assert said in guide
    configuration = f"http://localhost:{demo.provider_port}/.well-known/openid-configuration"
    assert answer_of(configuration).json()["issuer"] == f"http://localhost:{demo.provider_port}"
    assert "Quán Cóc" in answer_of(f"http://localhost:{demo.network_port}/").text
    kids = {key["kid"] for key in answer_of(f"http://localhost:{demo.provider_port}/jwks").json()["keys"]}
    family = demo.family()
    assert len(family) >= 2

    status, said = demo.interrupt()
    assert status == 0
    assert [step in said for step in STEPS] == [True] * 4
    assert "Traceback" not in said
    assert psutil.wait_procs(family, timeout=5)[1] == []

    demo.start_and_read_guide()
    again = answer_of(f"http://localhost:{demo.provider_port}/jwks").json()["keys"]
    assert {key["kid"] for key in again} == kids
    status, said = demo.interrupt()
    assert status == 0
    assert not any(step in said for step in STEPS), "a second start must not prepare again"


def test_with_tls_the_provider_is_https_and_the_network_trusts_it(tmp_path: Path) -> None:
    """Several conformance plans demand https: `make demo TLS=1`."""
    provider_port = next(port for port in iter(free_port, 0) if port < 65000)
    demo = Demo(tmp_path / "demo", provider_port, options=("--tls",))
    guide = demo.start_and_read_guide()
    try:
        issuer, certificate = f"https://localhost:{provider_port}", demo.directory / "tls" / "certificate.pem"
        assert f"{issuer}/my/accounts" in guide
        assert "The browser will warn" in guide
        trusting = ssl.create_default_context(cafile=certificate)
        with httpx.Client(verify=trusting, trust_env=False) as http:
            metadata = http.get(f"{issuer}/.well-known/openid-configuration").json()
            assert metadata["issuer"] == issuer
            token_endpoint = metadata["mtls_endpoint_aliases"]["token_endpoint"]
            assert token_endpoint == f"https://localhost:{provider_port + 443}/token"
            assert http.post(token_endpoint, data={"client_id": "x"}).status_code == 401
        network = f"http://localhost:{demo.network_port}"
        with httpx.Client(base_url=network, follow_redirects=True, trust_env=False) as browser:
            welcome = Html(browser.get("/").text).forms["sign-in-as"]
            name, handle = welcome.buttons[0]
            feed = Html(browser.post("/sign-in", data=welcome.fields | {name: handle}).text)
            begin = feed.forms["link-account"].fields
            begun = browser.post("/link", data=begin, follow_redirects=False)
            assert begun.headers["location"].startswith(f"{issuer}/authorize?"), begun.text
    finally:
        assert demo.interrupt()[0] == 0


def test_a_busy_port_is_one_sentence(demo: Demo) -> None:
    with socket.create_server(("127.0.0.1", demo.provider_port)):
        out, said = demo.start().communicate(timeout=30)
    assert demo.process is not None
    assert demo.process.returncode == 1
    assert said.startswith(f"Port {demo.provider_port}, for the provider, is in use.")
    assert (out, said.count("\n")) == ("", 1)
    assert not demo.directory.exists()


def test_an_unusable_folder_is_one_sentence(demo: Demo) -> None:
    demo.directory.parent.joinpath("demo").write_text("a file stands where the folder should be")
    out, said = demo.start().communicate(timeout=30)
    assert demo.process is not None
    assert demo.process.returncode == 1
    assert said == f"The folder {demo.directory} cannot be used: Not a directory.\n"
    assert out == ""
