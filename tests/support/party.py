"""A relying party as a column of the conformance matrix has it: it authenticates, signs and proves."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from idp.protocol.model import Client
from tests.support.columns import Column
from tests.support.dpop_proofs import ProofKey
from tests.support.platform import challenge_of
from tests.support.protocol_builders import public_jwk
from tests.support.provider import SECRET, Person
from tests.support.self_signed import SelfSigned, self_signed
from tests.support.served_here import CLIENT_CERTIFICATE, ServedHere
from tests.support.visits import Answer, visit

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

Changes = Mapping[str, Any]


def without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


@dataclass
class Party:
    """One client and what it holds. A change to None leaves a parameter, claim or header out."""

    op: ServedHere
    column: Column
    client: Client
    key: ec.EllipticCurvePrivateKey
    certificate: SelfSigned
    back: httpx.Client
    """The party's own back-end: no cookies of anybody."""
    proof_key: ProofKey = field(default_factory=ProofKey)
    nonce: str | None = None
    kid: str = ""
    secret: str = SECRET
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @classmethod
    def registered(cls, op: ServedHere, column: Column, **metadata: Any) -> "Party":
        """Register a client of the column; metadata beside its own can be given."""
        client_id = f"rp-{secrets.token_hex(6)}"
        key, certificate = ec.generate_private_key(ec.SECP256R1()), self_signed(client_id)
        described: dict[str, Any] = {
            "client_name": "Quán Cóc",
            "client_uri": "https://rp.example",
            "redirect_uris": [f"https://rp.example/{client_id}/callback"],
            "grant_types": ["authorization_code", "refresh_token"],
            "jwks": {"keys": [{**public_jwk(key), "kid": client_id, "use": "sig"}, certificate.jwk]},
            **column.metadata(),
            **metadata,
        }
        policy = {"profile": column.profile, "sector": "rp.example"}
        client = op.add_client(without_none(described), client_id, **policy)
        return cls(op, column, client, key, certificate, op.browser())

    def afresh(self) -> "Party":
        """Return the same client with a back-end, a DPoP key and a verifier of its own."""
        return Party(self.op, self.column, self.client, self.key, self.certificate, self.op.browser())

    @property
    def client_id(self) -> str:
        return self.client.client_id

    @property
    def redirect_uri(self) -> str:
        return self.client.redirect_uris[0]

    # What it proves itself with.

    def sign(self, claims: Changes, *, key: Any = None, algorithm: str = "ES256", **header: Any) -> str:
        return jwt.encode(
            without_none(claims),
            key or self.key,
            algorithm,
            without_none({"kid": self.kid or self.client_id} | header),
        )

    def assertion(self, *, key: Any = None, algorithm: str = "ES256", **changes: Any) -> str:
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.op.issuer,
            "iat": self.op.now,
            "exp": self.op.now + 60,
            "jti": secrets.token_urlsafe(16),
        }
        return self.sign(claims | changes, key=key, algorithm=algorithm)

    def credentials(self) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the form members and headers that authenticate it."""
        method = self.client.token_endpoint_auth_method
        if method == "client_secret_basic":
            return {}, {"authorization": httpx.BasicAuth(self.client_id, self.secret)._auth_header}
        if method == "private_key_jwt":
            assertion = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self.assertion()}
            return {"client_id": self.client_id, **assertion}, {}
        return {"client_id": self.client_id}, {}

    @property
    def presents_certificate(self) -> bool:
        return self.column.sender_constraint == "mtls" or "tls_client_auth" in self.column.method

    def certificate_headers(self) -> dict[str, str]:
        return {CLIENT_CERTIFICATE: self.certificate.escaped} if self.presents_certificate else {}

    def proof(self, method: str, url: str, **changes: Any) -> str:
        key = changes.pop("key", self.proof_key)
        at = changes.pop("at", self.op.clock.now)
        made: str = key.proof(method, url, at=at, **({"nonce": self.nonce} | changes))
        return made

    # What it sends.

    def post(
        self,
        path: str,
        form: Changes,
        *,
        is_authenticated: bool = True,
        is_proven: bool = True,
        headers: Changes | None = None,
        **proof_changes: Any,
    ) -> httpx.Response:
        """Send a form as this client, with the proofs of its column and the nonce that is asked for."""
        members, authentication = self.credentials() if is_authenticated else ({}, {})
        sent = without_none({**members, **form})
        more = without_none({**self.certificate_headers(), **authentication, **(headers or {})})
        if self.column.sender_constraint != "dpop" or not is_proven or "dpop" in more:
            return self.back.post(path, data=sent, headers=more)
        proof = self.proof("POST", self.op.issuer + path, **proof_changes)
        response = self.back.post(path, data=sent, headers=more | {"dpop": proof})
        fresh = response.headers.get("dpop-nonce")
        if response.status_code == 400 and response.json()["error"] == "use_dpop_nonce":
            self.nonce = fresh
            return self.post(
                path,
                form,
                is_authenticated=is_authenticated,
                is_proven=is_proven,
                headers=headers,
                **proof_changes,
            )
        self.nonce = fresh or self.nonce
        return response

    def request(self, **changes: Any) -> dict[str, str]:
        """Return the parameters of a good authorization request."""
        parameters = {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": self.column.scope,
            "state": "state-1",
            "nonce": "nonce-1" if self.column.is_openid else None,
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
            "response_mode": "jwt" if self.column.is_signed else None,
        }
        return without_none(parameters | changes)

    def request_object(self, parameters: Changes, **changes: Any) -> str:
        about = {
            "iss": self.client_id,
            "aud": self.op.issuer,
            "iat": self.op.now,
            "nbf": self.op.now,
            "exp": self.op.now + 300,
        }
        return self.sign({**parameters, **about, **changes}, typ="oauth-authz-req+jwt")

    def pushed(self, **changes: Any) -> dict[str, str]:
        """Return what is pushed: the parameters, or the one that holds them signed."""
        parameters = self.request(**changes)
        return {"request": self.request_object(parameters)} if self.column.is_signed else parameters

    def push(self, **changes: Any) -> httpx.Response:
        return self.post("/par", {"client_id": self.client_id, **self.pushed(**changes)})

    def front(self, **changes: Any) -> dict[str, str]:
        """Return what the browser carries: the request, or the name under which it was pushed."""
        if not self.column.is_pushed:
            return self.request(**changes)
        response = self.push(**changes)
        assert response.status_code == 201, response.text
        return {"client_id": self.client_id, "request_uri": response.json()["request_uri"]}

    def answer(
        self, browser: httpx.Client, person: Person, *, decision: str = "allow", **changes: Any
    ) -> Answer:
        """Take the person through every page of a request; return what the browser brings back."""
        return self.carried(browser, person, self.front(**changes), decision=decision)

    def carried(
        self,
        browser: httpx.Client,
        person: Person,
        front: Changes,
        *,
        decision: str = "allow",
        verb: str = "GET",
    ) -> Answer:
        if verb == "POST":
            opened = browser.post("/authorize", data=dict(front))
        else:
            opened = browser.get("/authorize", params=dict(front))
        return visit(self.op, browser, person, opened, decision=decision)

    def code(self, browser: httpx.Client, person: Person, **changes: Any) -> str:
        answer = self.answer(browser, person, **changes)
        assert "code" in answer.parameters, answer
        return answer.parameters["code"]

    def redeem(self, code: str, **more: Any) -> httpx.Response:
        """Send the code; a keyword that `post` does not know changes the form."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
        }
        return self._token(form, more)

    def refresh(self, refresh_token: str, **more: Any) -> httpx.Response:
        return self._token({"grant_type": "refresh_token", "refresh_token": refresh_token}, more)

    def _token(self, form: Changes, more: dict[str, Any]) -> httpx.Response:
        how = {
            name: more.pop(name)
            for name in ("is_authenticated", "is_proven", "headers", "key", "at", "proof")
            if name in more
        }
        return self.post("/token", {**form, **more}, **how.pop("proof", {}), **how)

    def sign_in(self, browser: httpx.Client, person: Person, **changes: Any) -> dict[str, Any]:
        """Do all of it; return the token response."""
        response = self.redeem(self.code(browser, person, **changes))
        assert response.status_code == 200, response.text
        tokens: dict[str, Any] = response.json()
        return tokens

    def bearer_headers(self, access_token: str, method: str, url: str, **changes: Any) -> dict[str, str]:
        """Return the headers that show a token as it is bound."""
        if self.column.sender_constraint != "dpop":
            return {"authorization": f"Bearer {access_token}", **self.certificate_headers()}
        proof = self.proof(method, url, access_token=access_token, **changes)
        return {"authorization": f"DPoP {access_token}", "dpop": proof}

    @property
    def resource(self) -> str:
        """The path of the resource that the column's tokens are for."""
        return "/userinfo" if self.column.is_openid else "/account-links"

    def use(self, access_token: str, method: str = "GET", **more: Any) -> httpx.Response:
        """Ask the resource; a nonce that is asked for is sent along."""
        headers, path = more.pop("headers", {}), more.pop("path", self.resource)
        for _ in range(2):
            shown = self.bearer_headers(access_token, method, self.op.issuer + path, **more)
            response = self.back.request(method, path, headers=without_none({**shown, **headers}))
            nonce = response.headers.get("dpop-nonce", self.nonce)
            if response.status_code != 401 or "use_dpop_nonce" not in response.headers["www-authenticate"]:
                break
            self.nonce = nonce
        self.nonce = nonce
        return response

    def id_token(self, tokens: Changes) -> dict[str, Any]:
        """Verify an ID token with the published keys; return its claims."""
        return self.verified(tokens["id_token"], self.client.id_token_signed_response_alg)

    def verified(self, token: str, algorithm: str, **options: Any) -> dict[str, Any]:
        keys = jwt.PyJWKSet.from_dict(self.back.get("/jwks").json())
        claims: dict[str, Any] = jwt.decode(
            token,
            keys[jwt.get_unverified_header(token)["kid"]],
            [algorithm],
            audience=self.client_id,
            issuer=self.op.issuer,
            options={"verify_exp": False, "verify_iat": False, "verify_nbf": False, **options},
        )
        return claims

    def details(self) -> str:
        """Return authorization_details that link an account."""
        link = {
            "type": "account_link",
            "account_id": secrets.token_hex(4),
            "handle": "@lan",
            "purpose": "post",
        }
        return json.dumps([link])
