"""Who is there before the measurement: people in the register, four platforms, their keys."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from joserfc.jwk import ECKey

from tests.bench.authenticators import Equipped, equip
from tests.support.served import ServedProvider

PASSWORD = "mot mat khau du dai"
REDIRECT_URI = "https://network.example/callback"

BASIC = "bench-basic"
OPAQUE = "bench-opaque"
SIGNED = "bench-signed"
FAPI = "bench-fapi"

_REGISTRATION = """
[client]
client_id = "{client_id}"
client_name = "{client_id}"
client_uri = "https://network.example"
redirect_uris = ["{redirect_uri}"]
grant_types = ["authorization_code", "refresh_token", "client_credentials"]
scope = "openid offline_access account_links.read"
token_endpoint_auth_method = "{method}"
id_token_signed_response_alg = "ES256"
{more}
[policy]
{policy}
min_acr = "vn-1"
min_proofing = "vn1"
max_links_per_citizen = 2
"""


@dataclass(frozen=True, slots=True)
class Population:
    """Everybody's names, and the secrets they prove themselves with."""

    citizens: Sequence[str]
    client_secret: str
    opaque_client_secret: str
    """Of the client whose access tokens say nothing themselves."""
    client_key: ECKey
    equipped: Sequence[Equipped]
    """The citizens in their order, each with a passkey and a phone."""


def populate(provider: ServedProvider, citizens: int) -> Population:
    """Fill a migrated database with the program's own commands."""
    numbers = [f"000190{index:06}" for index in range(1, citizens + 1)]
    register = provider.folder / "citizens.jsonl"
    register.write_text("".join(f"{json.dumps(_citizen(number))}\n" for number in numbers))
    provider.run("citizens", "import", register)

    key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256", "kid": "bench"}, private=True)
    public = "\n".join(f'{name} = "{value}"' for name, value in key.as_dict(private=False).items() if value)
    keys = f"\n[[client.jwks.keys]]\n{public}\n"
    basic = _apply(provider, BASIC, "client_secret_basic")
    opaque = _apply(provider, OPAQUE, "client_secret_basic", policy='access_token_format = "opaque"')
    _apply(provider, SIGNED, "private_key_jwt", keys)
    _apply(
        provider,
        FAPI,
        "private_key_jwt",
        keys,
        more="dpop_bound_access_tokens = true",
        policy='profile = "fapi2"',
    )
    equipped = asyncio.run(equip(provider, numbers))
    return Population(numbers, _find_secret(basic), _find_secret(opaque), key, equipped)


def _apply(
    provider: ServedProvider, client_id: str, method: str, key: str = "", *, more: str = "", policy: str = ""
) -> Any:
    registration = provider.folder / f"{client_id}.toml"
    registration.write_text(
        _REGISTRATION.format(
            client_id=client_id, redirect_uri=REDIRECT_URI, method=method, more=more, policy=policy
        )
        + key
    )
    return provider.run("clients", "apply", registration)


def _find_secret(document: Any) -> str:
    """Return the secret that the command shows once, wherever its document has it."""
    match document:
        case {"client_secret": str(secret)}:
            return secret
        case dict():
            return next(filter(None, map(_find_secret, document.values())), "")
        case list():
            return next(filter(None, map(_find_secret, document)), "")
        case _:
            return ""


def _citizen(number: str) -> dict[str, str]:
    return {
        "personal_number": number,
        "name": "Nguyễn Văn Thử",
        "birthdate": "1990-01-01",
        "proofing": "vn2",
        "proofed_at": "2025-01-01",
        "status": "active",
        "password": PASSWORD,
    }
