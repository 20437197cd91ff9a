"""The network's own key, and its registration with the public half filled in. RFC 7591 §2, RFC 7517."""

import json
import os
from pathlib import Path

from joserfc.jwk import ECKey

TEMPLATE = Path(__file__).parent.parent / "registrations" / "social_network.toml"
TEMPLATE_ADDRESS = "http://localhost:8100"
_PUBLIC_MEMBERS = ("kty", "crv", "x", "y", "kid", "use", "alg")


def make_key(key_file: Path) -> ECKey:
    """Return the key in `key_file`; make one, readable by its owner only, when there is none."""
    if not key_file.exists():
        key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, private=True)
        key.ensure_kid()
        key_file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(key.as_dict(private=True), file)
    return ECKey.import_key(json.loads(key_file.read_text()))


def fill_registration(template: str, key: ECKey, base_url: str) -> str:
    """Return the registration with this key's public half and this network's address."""
    public = key.as_dict(private=False)
    members = "\n".join(f"{name} = {json.dumps(public[name])}" for name in _PUBLIC_MEMBERS)
    return f"{template.replace(TEMPLATE_ADDRESS, base_url)}\n[[client.jwks.keys]]\n{members}\n"


def keygen(key_file: Path, registration: Path, base_url: str) -> None:
    """Make what `idp clients apply` needs. Run twice it keeps the key."""
    key = make_key(key_file)
    registration.parent.mkdir(parents=True, exist_ok=True)
    registration.write_text(fill_registration(TEMPLATE.read_text("utf-8"), key, base_url), "utf-8")
