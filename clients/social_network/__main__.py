"""Run the network, or make its key: `python -m clients.social_network [keygen] --help`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from clients.social_network.app import create_app
from clients.social_network.registration import TEMPLATE_ADDRESS, keygen
from clients.social_network.settings import Settings


def main(arguments: Sequence[str]) -> None:
    """Read the command line and do what it says."""
    if arguments[:1] == ["keygen"]:
        _keygen(arguments[1:])
    else:
        _serve(arguments)


def _keygen(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="social_network keygen", description="Make the network's key and fill in its registration."
    )
    parser.add_argument("--key-file", type=Path, required=True, help="private key; kept when it exists")
    parser.add_argument("--registration", type=Path, required=True, help="the registration to write")
    parser.add_argument("--base-url", default=TEMPLATE_ADDRESS, help="the network's address in the browser")
    given = parser.parse_args(arguments)
    keygen(given.key_file, given.registration, given.base_url.rstrip("/"))


def _serve(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="social_network", description="Quán Cóc, a sample social network.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8100)
    parser.add_argument("--base-url", help="the address in the browser; default http://localhost:PORT")
    parser.add_argument("--issuer", default="http://localhost:8000")
    parser.add_argument("--client-id", default="quan-coc")
    parser.add_argument("--key-file", type=Path, required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    given = parser.parse_args(arguments)
    if not given.key_file.is_file():
        parser.error(f"there is no key in {given.key_file}; make one with keygen")
    settings = Settings(
        base_url=(given.base_url or f"http://localhost:{given.port}").rstrip("/"),
        issuer=given.issuer,
        client_id=given.client_id,
        key_file=given.key_file,
        data_dir=given.data_dir,
    )
    uvicorn.run(create_app(settings), host=given.host, port=given.port, log_level="warning")


if __name__ == "__main__":
    main(sys.argv[1:])
