"""Child processes of the demonstration: started, watched until ready, and stopped together."""

import errno
import http.client
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

READY_WITHIN = 30.0
STOPPED_WITHIN = 10.0
SHOWN_LOG_LINES = 15
LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))


class DemoError(Exception):
    """The demonstration cannot go on; the message is one clear sentence for the person who started it."""


@dataclass(frozen=True, slots=True)
class ServerCommand:
    """What to start, and how to see that it answers."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    port: int
    ready_path: str
    log: Path
    certificate: Path | None = None
    """The certificate that it shows, where it speaks TLS."""

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection to ask it something; it is not open yet."""
        if self.certificate is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        trusting = ssl.create_default_context(cafile=self.certificate)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=2, context=trusting)


@dataclass(frozen=True, slots=True)
class Server:
    """A started server."""

    command: ServerCommand
    process: "subprocess.Popen[bytes]"

    def check_running(self) -> None:
        """Raise DemoError with the last lines of its log if the server has ended."""
        status = self.process.poll()
        if status is not None:
            raise DemoError(
                f"{self.command.name} ended with status {status}. Its last words:\n{self.last_words()}"
            )

    def last_words(self) -> str:
        """Return the end of the log, indented."""
        lines = self.command.log.read_text(errors="replace").splitlines()[-SHOWN_LOG_LINES:]
        return "\n".join(f"    {line}" for line in lines) or "    (nothing)"

    def is_ready(self) -> bool:
        """Ask the server's ready page."""
        connection = self.command.connect()
        try:
            connection.request("GET", self.command.ready_path)
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def check_port_is_free(port: int, purpose: str, variable: str) -> None:
    """Raise DemoError when somebody else listens on the port of `localhost`, in IPv4 or in IPv6."""
    other = f"Choose another one: make demo {variable}={port + 1000 if port < 64000 else port - 1000}"
    for family, address in LOOPBACK:
        with socket.socket(family) as probe:
            # As the servers do, so that connections of a demonstration just stopped are not in the way.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    raise DemoError(f"Port {port}, for {purpose}, is in use. {other}") from None
                if error.errno == errno.EACCES:
                    raise DemoError(f"Port {port}, for {purpose}, may not be used. {other}") from None
                if family is socket.AF_INET:
                    raise DemoError(f"Port {port}, for {purpose}, cannot be used: {error}.") from None
                # A machine without IPv6 has nobody listening there.


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """Turn Ctrl-C, a terminal that closes, and a service manager's request into one event."""
    stopping = threading.Event()
    handled = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: stopping.set()) for number in handled}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def running(commands: Sequence[ServerCommand], stopping: threading.Event) -> Iterator[Sequence[Server]]:
    """Start the servers together, wait until all are ready or a stop is wanted; stop them at the end."""
    servers: list[Server] = []
    try:
        servers += [_start(command) for command in commands]
        _wait_until_ready(servers, stopping)
        yield servers
    finally:
        _stop(servers)


def watch(servers: Sequence[Server], stopping: threading.Event) -> None:
    """Return when a stop is wanted. Raises DemoError when one of the servers ends before."""
    while not stopping.wait(0.2):
        for server in servers:
            server.check_running()


def _start(command: ServerCommand) -> Server:
    with command.log.open("ab") as log:
        # A session of its own: the terminal's Ctrl-C reaches the demonstration alone, which stops both.
        process = subprocess.Popen(
            command.command,
            env=command.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    return Server(command, process)


def _wait_until_ready(servers: Sequence[Server], stopping: threading.Event) -> None:
    deadline = time.monotonic() + READY_WITHIN
    waiting = list(servers)
    while waiting and not stopping.wait(0.05):
        for server in servers:
            server.check_running()
        waiting = [server for server in waiting if not server.is_ready()]
        if waiting and time.monotonic() > deadline:
            slow = waiting[0]
            raise DemoError(
                f"{slow.command.name} does not answer on port {slow.command.port} after {READY_WITHIN:.0f}"
                f" seconds. Its last words:\n{slow.last_words()}"
            )


def _stop(servers: Sequence[Server]) -> None:
    for server in servers:
        _signal(server, signal.SIGTERM)
    deadline = time.monotonic() + STOPPED_WITHIN
    for server in servers:
        try:
            server.process.wait(timeout=max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _signal(server, signal.SIGKILL)
            server.process.wait()


def _signal(server: Server, number: signal.Signals) -> None:
    if server.process.poll() is None:
        os.killpg(server.process.pid, number)
