"""`idp demo`: the provider and the sample social network on this machine, with fictitious people.

Everything lies in one folder. A step is done again only when what it reads has changed.
"""

import hashlib
import json
import os
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from idp.operators.demo_servers import (
    DemoError,
    ServerCommand,
    check_port_is_free,
    running,
    stop_signals,
    watch,
)
from idp.operators.desk import utc_now
from idp.operators.development_certificate import development_certificate
from idp.operators.options import json_option
from idp.operators.output import CommandFailedError, Invocation, invocation, table
from idp.operators.tls import ServerCertificate
from idp.web.demo_people import CITIZENS, DemoPerson, demo_people

ROOT = Path(__file__).resolve().parents[2]
IDP = Path(sysconfig.get_path("scripts")) / "idp"
NETWORK = (sys.executable, "-m", "clients.social_network")
SHOWN_PEOPLE = 3


@dataclass(frozen=True, slots=True)
class Step:
    """A command that prepares the demonstration, and the files whose change makes it due again."""

    title: str
    command: Sequence[str | Path]
    inputs: Sequence[Path]


@dataclass(frozen=True, slots=True)
class Demo:
    """Where the demonstration lives."""

    directory: Path
    provider_port: int
    network_port: int
    certificate: ServerCertificate | None = None
    """With one, the provider speaks TLS, and has a second port for mutual TLS."""

    @property
    def provider_url(self) -> str:
        """The issuer."""
        scheme = "http" if self.certificate is None else "https"
        return f"{scheme}://localhost:{self.provider_port}"

    @property
    def mtls_port(self) -> int:
        """8443 beside 8000: the port that asks clients for certificates."""
        return self.provider_port + 443

    @property
    def network_url(self) -> str:
        """Where the sample network is read."""
        return f"http://localhost:{self.network_port}"

    @property
    def database(self) -> Path:
        """The one file that holds people, links and sessions."""
        return self.directory / "lienket.sqlite3"

    @property
    def network_directory(self) -> Path:
        """What the sample network keeps for itself: its keys and its posts."""
        return self.directory / "network"

    @property
    def network_key(self) -> Path:
        """The key with which the sample network authenticates."""
        return self.network_directory / "key.json"

    @property
    def environment(self) -> Mapping[str, str]:
        """The settings of both programs, and none that were meant for another installation."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
        encrypted: dict[str, str] = {}
        if self.certificate is not None:
            encrypted["IDP_MTLS_ORIGIN"] = f"https://localhost:{self.mtls_port}"
            # For the sample network, which calls the provider and nobody else.
            encrypted["SSL_CERT_FILE"] = str(self.certificate.chain)
        return {
            **inherited,
            **encrypted,
            "IDP_ISSUER": self.provider_url,
            "IDP_DATABASE_URL": f"sqlite:///{self.database}",
            "IDP_KEYS_DIR": str(self.directory / "keys"),
            "IDP_MODE": "demo",
            "PYTHONUNBUFFERED": "1",
        }

    def steps(self) -> Sequence[Step]:
        """List what must be done before the servers start, in this order."""
        key, registration = self.network_key, self.network_directory / "registration.toml"
        template = ROOT / "clients" / "registrations" / "social_network.toml"
        keygen: list[str | Path] = [*NETWORK, "keygen", "--key-file", key, "--registration", registration]
        return [
            Step(
                "Creating the database",
                [IDP, "migrate"],
                sorted((ROOT / "migrations" / "versions").glob("*.py")),
            ),
            Step("Importing fictitious people", [IDP, "citizens", "import", CITIZENS], [CITIZENS]),
            Step(
                "Making the sample network's key",
                [*keygen, "--base-url", self.network_url],
                [template, key, registration],
            ),
            Step("Registering the sample network", [IDP, "clients", "apply", registration], [registration]),
        ]

    def servers(self) -> Sequence[ServerCommand]:
        """Describe the two programs."""
        logs = self.directory / "logs"
        serve = [str(IDP), "serve", "--host", "127.0.0.1", "--port", str(self.provider_port)]
        if self.certificate is not None:
            serve += ["--tls-cert", str(self.certificate.chain), "--tls-key", str(self.certificate.key)]
            serve += ["--mtls-port", str(self.mtls_port)]
        return [
            ServerCommand(
                "The provider",
                serve,
                self.environment,
                self.provider_port,
                "/readyz",
                logs / "provider.log",
                None if self.certificate is None else self.certificate.chain,
            ),
            ServerCommand(
                "The sample network",
                [
                    *NETWORK,
                    *("--port", str(self.network_port), "--issuer", self.provider_url),
                    *("--key-file", str(self.network_key), "--data-dir", str(self.network_directory)),
                ],
                self.environment,
                self.network_port,
                "/",
                logs / "network.log",
            ),
        ]


def run_demo(
    directory: Path, provider_port: int, network_port: int, called: Invocation, *, with_tls: bool = False
) -> None:
    """Prepare, start both servers, print the guide and stay until Ctrl-C. Raises CommandFailedError."""
    demo = Demo(directory.resolve(), provider_port, network_port)
    try:
        _check_ports(demo)
        if with_tls:
            check_port_is_free(demo.mtls_port, "mutual TLS", "PORT")
            demo = replace(demo, certificate=development_certificate(demo.directory / "tls", utc_now()))
        with stop_signals() as stopping:
            _prepare(demo, stopping, called)
            if not stopping.is_set():
                _serve(demo, stopping, called)
    except DemoError as error:
        raise CommandFailedError(str(error)) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise CommandFailedError(f"The folder {demo.directory} cannot be used: {reason}.") from error


def _check_ports(demo: Demo) -> None:
    if demo.provider_port == demo.network_port:
        raise DemoError("The provider and the sample network need two different ports.")
    check_port_is_free(demo.provider_port, "the provider", "PORT")
    check_port_is_free(demo.network_port, "the sample network", "NETWORK_PORT")


def _prepare(demo: Demo, stopping: threading.Event, called: Invocation) -> None:
    (demo.directory / "logs").mkdir(parents=True, exist_ok=True)
    demo.network_directory.mkdir(exist_ok=True)
    record = demo.directory / "done.json"
    done = _read_record(record) if demo.database.exists() else {}
    for step in demo.steps():
        fingerprint = _fingerprint(step)
        if done.get(step.title) == fingerprint:
            continue
        if stopping.is_set():
            return
        called.say(f"  {step.title} …")
        _carry_out(step, demo.environment)
        done[step.title] = _fingerprint(step)
        unfinished = record.with_suffix(".new")
        unfinished.write_text(json.dumps(done))
        unfinished.replace(record)


def _read_record(record: Path) -> dict[str, str]:
    """Return what earlier starts have done; a damaged record only means doing it again."""
    try:
        done = json.loads(record.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return done if isinstance(done, dict) else {}


def _fingerprint(step: Step) -> str:
    digest = hashlib.sha256(json.dumps([str(word) for word in step.command]).encode())
    for path in step.inputs:
        if path.exists():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _carry_out(step: Step, environment: Mapping[str, str]) -> None:
    # A session of its own, so that Ctrl-C never breaks a step in the middle.
    finished = subprocess.run(
        step.command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    if finished.returncode:
        said = (finished.stderr or finished.stdout).strip()
        raise DemoError(f"{step.title} failed. It said:\n{said}")


def _serve(demo: Demo, stopping: threading.Event, called: Invocation) -> None:
    called.say("  Starting the provider and the sample network …")
    with running(demo.servers(), stopping) as servers:
        if not stopping.is_set():
            addresses = {"provider": demo.provider_url, "network": demo.network_url}
            called.answer(addresses, [guide(demo, demo_people())])
        watch(servers, stopping)
        called.say("  Stopping both …")
    called.say("  Stopped. What was done is kept; `make demo` goes on from here.")


def guide(demo: Demo, people: Sequence[DemoPerson]) -> str:
    """Return what a person needs to try the main journey."""
    rows = [f"    {'name':<18}{'personal number':<18}{'password':<22}proofing"]
    rows += [
        f"    {person.name:<18}{person.personal_number:<18}{person.password:<22}{person.proofing}"
        for person in people[:SHOWN_PEOPLE]
    ]
    listing = "\n".join(rows)
    script = os.path.relpath(IDP)
    warning = ""
    if demo.certificate is not None:
        warning = (
            "\n  The browser will warn of the certificate: it was made on this machine and nobody else knows"
            f" it.\n  Programs may trust {os.path.relpath(demo.certificate.chain)}. Mutual TLS: port"
            f" {demo.mtls_port}.\n"
        )
    return f"""
  The sample social network   {demo.network_url}
  The provider                {demo.provider_url}
  My linked accounts          {demo.provider_url}/my/accounts
{warning}
  Open the sample network, press "Link my account" and sign in as one of these fictitious people:

{listing}

  The second factor is a one-time code. This prints the one that is valid now:

    {script} demo code {people[0].personal_number}

  More people: {script} demo people · Logs: {os.path.relpath(demo.directory / "logs")}
  Ctrl-C stops both and keeps the data; `make demo-reset` forgets it.
"""


@click.group(invoke_without_command=True)
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="The provider's."
)
@click.option(
    "--network-port", default=8100, show_default=True, type=click.IntRange(1, 65535), help="The network's."
)
@click.option(
    "--directory",
    default=ROOT / ".demo",
    show_default=".demo beside the program",
    type=click.Path(path_type=Path),
    help="Where everything is kept.",
)
@click.option(
    "--tls", "with_tls", is_flag=True, help="Let the provider speak https, by a certificate made here."
)
@json_option
@click.pass_context
def demo(context: click.Context, *, port: int, network_port: int, directory: Path, with_tls: bool) -> None:
    """Start the provider and the sample social network with fictitious people, until Ctrl-C."""
    if context.invoked_subcommand is None:
        run_demo(directory, port, network_port, invocation(), with_tls=with_tls)


@demo.command()
@click.argument("person", nargs=-1, required=True)
@json_option
def code(person: Sequence[str]) -> None:
    """Print the one-time code of a demo PERSON (number, phone or name) that is valid now."""
    words = " ".join(person)
    found = [candidate for candidate in demo_people() if candidate.answers_to(words)]
    if len(found) != 1:
        problem = "is nobody" if not found else f"fits {' and '.join(each.name for each in found)}"
        raise CommandFailedError(f"“{words}” {problem}; `idp demo people` lists everybody.")
    now = found[0].one_time_code()
    invocation().answer({"personal_number": found[0].personal_number, "code": now}, [now])


@demo.command()
@json_option
def people() -> None:
    """List the fictitious people with their sign-in data."""
    columns = ("name", "personal_number", "phone_number", "birthdate", "proofing", "status", "password")
    everybody = [{column: getattr(person, column) for column in columns} for person in demo_people()]
    headings = [column.replace("_", " ") for column in columns]
    rows = [list(person.values()) for person in everybody]
    invocation().answer({"people": everybody}, table(headings, rows))
