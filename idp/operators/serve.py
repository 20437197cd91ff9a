"""`idp serve`: the provider's web server, with housekeeping and deliveries beside it."""

import asyncio
import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing.connection import wait
from pathlib import Path

import click
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from idp.operators.companions import companions
from idp.operators.connections import Connection
from idp.operators.desk import migrated_database, utc_now
from idp.operators.failures import explained
from idp.operators.mutual_tls import MutualTLS, TLSConfig
from idp.operators.options import json_option
from idp.operators.output import CommandFailedError, invocation
from idp.operators.settings_report import contradictions
from idp.operators.tls import ServerCertificate
from idp.settings import Settings
from keys import Custody

APPLICATION = "idp.app:from_environment"
BACKLOG = 2048
GRACEFUL_SECONDS = 5
ORPHANS_END_WITHIN = 2 * GRACEFUL_SECONDS

Run = Callable[[], bool]
"""Serves until it is told to stop; tells whether it ever started."""


class ServerConfig(TLSConfig):
    """Uvicorn's configuration, whose workers do not outlive the process that started them."""

    def load(self) -> None:
        """Load the application; in a worker, watch the parent first."""
        parent = multiprocessing.parent_process()
        if parent is not None:
            threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
        super().load()


def _end_with(parent_sentinel: int) -> None:
    """Wait for the death of the parent, which a kill -9 does not announce, and end this worker."""
    wait([parent_sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(ORPHANS_END_WITHIN)
    os.kill(os.getpid(), signal.SIGKILL)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="The port to listen on; 0 takes a free one.",
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 128),
    help="How many processes answer requests.",
)
@click.option(
    "--tls-cert", type=click.Path(path_type=Path), help="The certificate chain (PEM); TLS ends here."
)
@click.option("--tls-key", type=click.Path(path_type=Path), help="The private key of the certificate (PEM).")
@click.option(
    "--mtls-port",
    type=click.IntRange(0, 65535),
    help="A second port that asks clients for a certificate; IDP_MTLS_ORIGIN is its public address.",
)
@json_option
def serve(
    *,
    host: str,
    port: int,
    workers: int,
    tls_cert: Path | None,
    tls_key: Path | None,
    mtls_port: int | None,
) -> None:
    """Serve until Ctrl-C or SIGTERM, which end everything cleanly.

    Requests under way get some seconds to finish. One more process keeps house: it seals the audit log,
    lets links lapse and clears what has expired. Another tells relying parties what they are to know, such
    as that a session is over. Without --tls-cert, TLS is the business of a proxy in front.
    """
    with explained():
        settings = Settings.load()
        _check_ready(settings)
        certificate = _certificate(settings, tls_cert, tls_key)
        _check_mutual_tls(settings, certificate, mtls_port)
    with ExitStack() as listeners:
        with explained():
            listener = listeners.enter_context(_listen(host, port))
            mtls_listener = None if mtls_port is None else listeners.enter_context(_listen(host, mtls_port))
        bound_port = listener.getsockname()[1]
        config = _configuration(settings, workers)
        config.certificate = certificate
        if certificate is not None and mtls_listener is not None:
            config.mutual_tls = MutualTLS(mtls_listener, certificate, settings.tls_client_ca)
        run = _one_process(config, listener) if workers == 1 else _many_processes(config, listener)
        many = "" if workers == 1 else f", {workers} workers"
        invocation().say(f"Serving {settings.issuer} on {host}, port {bound_port}{many}. Ctrl-C stops.")
        with companions(invocation().say):
            has_started = run()
    if not has_started:
        raise CommandFailedError("The application did not start, for the reason above.")
    invocation().answer({"host": host, "port": bound_port, "workers": workers, "stopped": True}, [])


def _certificate(settings: Settings, chain: Path | None, key: Path | None) -> ServerCertificate | None:
    """Return the server's certificate, checked. Raises CommandFailedError."""
    if chain is None and key is None:
        return None
    if chain is None or key is None:
        raise CommandFailedError("--tls-cert and --tls-key belong together.")
    if not settings.issuer.startswith("https://"):
        raise CommandFailedError("With --tls-cert, IDP_ISSUER must begin with https://.")
    certificate = ServerCertificate(chain.resolve(), key.resolve())
    certificate.check()
    return certificate


def _check_mutual_tls(settings: Settings, certificate: ServerCertificate | None, port: int | None) -> None:
    if port is None:
        return
    if certificate is None:
        raise CommandFailedError("--mtls-port needs --tls-cert and --tls-key.")
    if settings.mtls_origin is None:
        raise CommandFailedError("--mtls-port needs IDP_MTLS_ORIGIN: the address that clients are told.")


def _check_ready(settings: Settings) -> None:
    """Check what would otherwise fail in every worker. Raises CommandFailedError."""
    problems = contradictions(settings)
    if problems:
        raise CommandFailedError("The settings cannot be used.", problems)

    async def look() -> None:
        async with migrated_database(settings):
            Custody.open(settings.keys_dir, settings.seal_file, utc_now())

    asyncio.run(look())


def _listen(host: str, port: int) -> socket.socket:
    """Open the listening socket here, where a busy port can be told in a sentence."""
    with ExitStack() as unless_it_listens:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            listener = unless_it_listens.enter_context(socket.socket(family, kind, protocol))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(BACKLOG)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise CommandFailedError(f"Port {port} on {host} cannot be used: {reason}.") from error
        unless_it_listens.pop_all()
    return listener


def _configuration(settings: Settings, workers: int) -> ServerConfig:
    return ServerConfig(
        APPLICATION,
        factory=True,
        workers=workers,
        loop="uvloop",
        http=Connection,
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.forwarded_allow_ips,
        server_header=False,
        date_header=True,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )


def _one_process(config: ServerConfig, listener: socket.socket) -> Run:
    """Serve in this process."""
    server = uvicorn.Server(config)

    def stop(_signal: int, _frame: object) -> None:
        server.should_exit = True

    # Uvicorn repeats a signal that it obeyed to whoever handled it before: that must be no end by signal.
    # Until it listens to signals itself, they reach it through this handler.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)

    def run() -> bool:
        try:
            server.run(sockets=[listener])
        except SystemExit:
            return False
        return server.started

    return run


def _many_processes(config: ServerConfig, listener: socket.socket) -> Run:
    """Serve in worker processes, under uvicorn's supervisor: it replaces workers that died."""
    supervisor = Multiprocess(config, sockets=[listener])

    def run() -> bool:
        supervisor.run()
        return all(process.exitcode != STARTUP_FAILURE for process in supervisor.processes)

    return run
