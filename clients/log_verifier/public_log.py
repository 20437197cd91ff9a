"""Asking the provider for what it publishes. Nothing that comes back is believed before it was verified."""

from collections.abc import Mapping
from typing import Any

import httpx

from .checkpoints import read_hashes, verify_claims
from .tree import HASH_SIZE, TamperedError

TILE = 256
"""Hashes of a full tile."""
LARGEST_ANSWER = 1024 * 1024


class UnreachableError(Exception):
    """The provider could not be asked, or did not answer: nothing can be said of its log."""


class RevokedKeyError(TamperedError):
    """A signature is by a key that was lost to somebody: it proves nothing any more."""


class PublicLog:
    """The published log of one provider."""

    def __init__(self, issuer: str, http: httpx.Client) -> None:
        self.issuer = issuer
        self._http = http
        self._keys: dict[str, Mapping[str, Any]] = {}
        self._has_history = False

    def open(self) -> None:
        """Read where the provider keeps its keys, and those. Raises UnreachableError, TamperedError."""
        metadata = self._json("/.well-known/openid-configuration")
        if metadata.get("issuer") != self.issuer:
            raise TamperedError(f"{self.issuer} says that it is {metadata.get('issuer')}")
        self._remember(self._json("/jwks").get("keys"))

    def checkpoint(self) -> str:
        """Return the newest checkpoint, unverified."""
        return self._get("/transparency/checkpoint").decode("ascii", "replace")

    def checkpoints(self, before: int, limit: int) -> list[str]:
        """Return checkpoints of smaller trees, unverified, the largest first."""
        page = self._json(f"/transparency/checkpoints?before={before}&limit={limit}").get("checkpoints")
        return [str(each) for each in page] if isinstance(page, list) else []

    def consistency(self, known_size: int, size: int) -> list[bytes]:
        """Return what is to prove that a tree begins with a smaller one."""
        proof = self._json(f"/transparency/consistency?from={known_size}&to={size}")
        return read_hashes(proof.get("consistency_path"))

    def tile(self, index: int, width: int) -> list[bytes]:
        """Return the first leaf hashes of a tile. Raises TamperedError when there are fewer."""
        content = self._get(f"/transparency/tiles/0/{index}")
        if len(content) < width * HASH_SIZE:
            raise TamperedError(f"tile {index} of the leaves is too short")
        return [content[place * HASH_SIZE : (place + 1) * HASH_SIZE] for place in range(width)]

    def find_key(self, kid: str) -> Mapping[str, Any]:
        """Return a published key, of today or of former times. Raises TamperedError, UnreachableError."""
        if kid not in self._keys and not self._has_history:
            self._has_history = True
            signed = self._get("/jwks/historical").decode("ascii", "replace")
            self._remember(verify_claims(signed, "jwk-set+jwt", self._present_key).get("keys"))
        key = self._present_key(kid)
        if "revoked" in key:
            raise RevokedKeyError("a signature is by a key that was lost to somebody")
        return key

    def _present_key(self, kid: str) -> Mapping[str, Any]:
        if kid not in self._keys:
            raise TamperedError("a signature is by a key that the provider never published")
        return self._keys[kid]

    def _remember(self, keys: object) -> None:
        if not isinstance(keys, list):
            raise TamperedError("the provider publishes no keys")
        for key in keys:
            if isinstance(key, dict) and isinstance(key.get("kid"), str):
                self._keys.setdefault(key["kid"], key)

    def _json(self, path: str) -> dict[str, Any]:
        answer = self._answer(path)
        try:
            document = answer.json()
        except ValueError as error:
            raise UnreachableError(f"{path} is no JSON") from error
        if not isinstance(document, dict):
            raise UnreachableError(f"{path} is no JSON object")
        return document

    def _get(self, path: str) -> bytes:
        return self._answer(path).content

    def _answer(self, path: str) -> httpx.Response:
        try:
            answer = self._http.get(self.issuer + path)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnreachableError(f"{path}: {type(error).__name__}") from error
        if answer.status_code != 200:
            raise UnreachableError(f"{path} answered {answer.status_code}")
        if len(answer.content) > LARGEST_ANSWER:
            raise UnreachableError(f"{path} answered with too much")
        return answer
