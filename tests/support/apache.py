"""Apache with Debian's mod_auth_openidc before one page, in a temporary folder, on the loopback interface."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.postgresql import free_port
from tests.support.served import LOGS

MODULES = Path("/usr/lib/apache2/modules")
LOADED = ("mpm_event", "authn_core", "authz_core", "authz_user", "dir", "headers", "auth_openidc")
READY_WITHIN = 20.0

CONFIGURATION = """
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {folder}/pid
DefaultRuntimeDir {folder}
Mutex file:{folder}
ErrorLog {folder}/error.log
LogLevel warn
DocumentRoot {folder}/pages
DirectoryIndex index.html
{modules}
{options}
<Location /protected>
    AuthType openid-connect
    Require valid-user
    Header set X-Told-Subject "expr=%{{env:OIDC_CLAIM_sub}}"
    Header set X-Told-Name "expr=%{{env:OIDC_CLAIM_name}}"
    Header set X-Told-Assurance "expr=%{{env:OIDC_CLAIM_acr}}"
</Location>
"""
PAGE = "Only for those who signed in.\n"


class ApacheStartError(AssertionError):
    """Apache ended, or did not listen in time; the message ends with its log."""


@dataclass(frozen=True)
class Apache:
    """Where the protected page is, and what its log says."""

    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def callback(self) -> str:
        """The module's own address below the protected page; nothing else answers there."""
        return f"{self.url}/protected/callback"


def apache_program() -> str | None:
    """Return the program, if both it and the module are installed. `make test` installs them where it may."""
    program = shutil.which("apache2", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    return program if (MODULES / "mod_auth_openidc.so").exists() else None


@contextmanager
def running_apache(options: Mapping[str, str], port: int | None = None) -> Iterator[Apache]:
    """Serve until the block ends. `options` are the module's directives, OIDC… by name.

    Raises ApacheStartError. As root it runs as the user `nobody`, in a folder of theirs.
    """
    program = apache_program()
    if program is None:
        raise ApacheStartError("Apache with mod_auth_openidc is not installed: run `make test` as root")
    folder = Path(tempfile.mkdtemp(prefix="lienket-apache-"))
    apache = Apache(port or free_port(), LOGS / f"apache-{folder.name}.log")
    try:
        _write(folder, apache, options)
        with _process(program, folder, apache):
            yield apache
    finally:
        shutil.rmtree(folder)


def _write(folder: Path, apache: Apache, options: Mapping[str, str]) -> None:
    pages = folder / "pages" / "protected"
    pages.mkdir(parents=True)
    (pages / "index.html").write_text(PAGE)
    modules = "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in LOADED)
    lines = "\n".join(f'{name} "{value}"' for name, value in options.items())
    (folder / "apache.conf").write_text(
        CONFIGURATION.format(port=apache.port, folder=folder, modules=modules, options=lines)
    )


@contextmanager
def _process(program: str, folder: Path, apache: Apache) -> Iterator[None]:
    user: int | None = None
    if os.geteuid() == 0:
        user = pwd.getpwnam("nobody").pw_uid
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user, -1)
    process = subprocess.Popen(
        [program, "-f", str(folder / "apache.conf"), "-D", "FOREGROUND"],
        stdin=subprocess.DEVNULL,
        cwd="/",
        user=user,
        start_new_session=True,
    )
    try:
        _wait_until_listening(process, folder, apache)
        yield
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=20)
        apache.log.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / "error.log", apache.log)


def _wait_until_listening(process: "subprocess.Popen[bytes]", folder: Path, apache: Apache) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", apache.port)) == 0:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            log = folder / "error.log"
            raise ApacheStartError(f"Apache did not start: {log.read_text() if log.exists() else 'no log'}")
        time.sleep(0.05)
