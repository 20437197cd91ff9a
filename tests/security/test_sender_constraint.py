"""Abuse class 23: a bound token is worth nothing to whoever stole it, and a proof is good for one request."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.support.dpop_proofs import ProofKey
from tests.support.platform import Platform, go_on, query_of
from tests.support.protocol_builders import JWKS, sign
from tests.support.provider import ISSUER, Person, Provider
from tests.support.shared_provider import new_platform

pytestmark = pytest.mark.anyio

TOKEN, PAR, USERINFO = (f"{ISSUER}/{name}" for name in ("token", "par", "userinfo"))
BOUND = {"dpop_bound_access_tokens": True}


@dataclass
class Prover:
    """A platform with a DPoP key, which keeps the nonce it was given last."""

    platform: Platform
    http: httpx.AsyncClient
    key: ProofKey = field(default_factory=ProofKey)
    nonce: str | None = None

    def proof(self, method: str, url: str, **changes: Any) -> str:
        key = changes.pop("key", self.key)
        clock = self.platform.provider.clock
        return key.proof(method, url, **({"at": clock.now, "nonce": self.nonce} | changes))

    async def send(
        self, method: str, url: str, *, proofs: list[str] | None = None, **request: Any
    ) -> httpx.Response:
        """Send with a proof; `proofs` replaces it. Sent for a nonce, a client of ours comes back with it."""
        headers = request.pop("headers", {})
        made = [self.proof(method, url)] if proofs is None else proofs
        answer = await self.http.request(
            method, url, headers=[*headers.items(), *(("DPoP", each) for each in made)], **request
        )
        self.nonce = answer.headers.get("DPoP-Nonce", self.nonce)
        if proofs is None and "use_dpop_nonce" in answer.text + answer.headers.get("WWW-Authenticate", ""):
            return await self.send(method, url, headers=headers, proofs=[self.proof(method, url)], **request)
        return answer

    async def redeem(self, code: str, **request: Any) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.platform.client.redirect_uris[0],
            "code_verifier": self.platform.verifier,
        }
        return await self.send("POST", TOKEN, data=form, auth=self.platform.auth, **request)

    async def refresh(self, token: str, **request: Any) -> httpx.Response:
        form = {"grant_type": "refresh_token", "refresh_token": token}
        return await self.send("POST", TOKEN, data=form, auth=self.platform.auth, **request)

    async def userinfo(
        self, token: str, *, scheme: str = "DPoP", proofs: list[str] | None = None, **changes: Any
    ) -> httpx.Response:
        made = [self.proof("GET", USERINFO, access_token=token, **changes)] if proofs is None else proofs
        return await self.send("GET", USERINFO, headers={"Authorization": f"{scheme} {token}"}, proofs=made)

    async def tokens(self, person: Person, **request: Any) -> dict[str, Any]:
        code = await self.platform.code_for(self.http, person, **request)
        answer = await self.redeem(code)
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()
        return content


async def new_prover(provider: Provider, http: httpx.AsyncClient, **metadata: object) -> Prover:
    return Prover(await new_platform(provider, BOUND | metadata), http)


def refused(answer: httpx.Response, *, at_resource: bool = False) -> str:
    """Return the code of a refusal, after looking at its form."""
    assert answer.status_code == (401 if at_resource else 400), answer.text
    error: str = answer.json()["error"]
    if at_resource:
        assert answer.headers["WWW-Authenticate"].startswith(f'DPoP error="{error}", algs="ES256 ')
    return error


async def test_whoever_holds_the_key_gets_in(provider: Provider) -> None:
    """TOK-19, UI-11: the scheme in any case, an address as clients write it, more claims than asked for."""
    person = await provider.add_person()
    async with provider.http() as http:
        prover = await new_prover(provider, http)
        tokens = await prover.tokens(person)
        assert tokens["token_type"] == "DPoP"
        token = tokens["access_token"]
        for scheme in ("DPoP", "dpop", "DPOP"):
            assert (await prover.userinfo(token, scheme=scheme)).status_code == 200
        for changes in (
            {"htu": USERINFO + "?a=b#c"},
            {"htu": USERINFO.replace("localhost", "LocalHost")},
            {"iat": int(provider.clock.now.timestamp()) - 10, "exp": 4102444800, "nbf": 0, "more": {"a": 1}},
            {"iat": int(provider.clock.now.timestamp()) + 8},
        ):
            assert (await prover.userinfo(token, **changes)).status_code == 200
        posted = await prover.send(
            "POST",
            USERINFO,
            headers={"Authorization": f"DPoP {token}"},
            proofs=[prover.proof("POST", USERINFO, access_token=token)],
        )
        assert posted.status_code == 200


async def test_a_stolen_bound_token_is_no_bearer_token(provider: Provider) -> None:
    """UI-09; CVE-2024-49755, KC #48428: in the header, in a form, beside a good proof or another's."""
    person = await provider.add_person()
    async with provider.http() as http:
        prover = await new_prover(provider, http)
        token = (await prover.tokens(person))["access_token"]
        good = prover.proof("GET", USERINFO, access_token=token)
        for proofs in ([], [good], [prover.proof("GET", USERINFO, access_token=token, key=ProofKey())]):
            answer = await prover.userinfo(token, scheme="Bearer", proofs=proofs)
            assert refused(answer, at_resource=True) == "invalid_token"
        in_form = await http.post(USERINFO, data={"access_token": token})
        assert refused(in_form, at_resource=True) == "invalid_token"


async def test_a_stolen_bound_token_is_worth_nothing_with_another_key(provider: Provider) -> None:
    """UI-09; KC #38333."""
    person = await provider.add_person()
    async with provider.http() as http:
        prover = await new_prover(provider, http)
        token = (await prover.tokens(person))["access_token"]
        answer = await prover.userinfo(token, key=ProofKey())
        assert refused(answer, at_resource=True) == "invalid_token"


async def test_a_proof_is_for_one_request(provider: Provider) -> None:
    """UI-10: ath, htu, htm, iat, nonce; no proof and two."""
    person = await provider.add_person()
    async with provider.http() as http:
        prover = await new_prover(provider, http)
        tokens = await prover.tokens(person)
        token, other = tokens["access_token"], (await prover.tokens(person))["access_token"]
        now = int(provider.clock.now.timestamp())
        for changes in (
            {"access_token": other},
            {"ath": None},
            {"htu": TOKEN},
            {"htu": "https://attacker.example/userinfo"},
            {"htm": "POST"},
            {"iat": now - 3600},
            {"iat": now + 3600},
            {"jti": None},
            {"header": {"typ": "JWT"}},
        ):
            answer = await prover.userinfo(
                token, proofs=[prover.proof("GET", USERINFO, **({"access_token": token} | changes))]
            )
            assert refused(answer, at_resource=True) == "invalid_dpop_proof", changes
        one, two = (prover.proof("GET", USERINFO, access_token=token) for _ in range(2))
        for proofs in ([], [one, two], ["x"], [one[:-5]]):
            answer = await prover.userinfo(token, proofs=proofs)
            assert refused(answer, at_resource=True) == "invalid_dpop_proof"
        assert (await prover.userinfo(token, proofs=[one])).status_code == 200


async def test_without_our_nonce_a_proof_could_have_been_made_long_ago(provider: Provider) -> None:
    """TOK-18; RFC 9449 §8, §9, §11.2. Each answer brings the nonce, once."""
    person = await provider.add_person()
    async with provider.http() as http:
        prover = await new_prover(provider, http)
        code = await prover.platform.code_for(http, person)
        for nonce in (None, "made-up", "A" * 24):
            answer = await prover.redeem(code, proofs=[prover.proof("POST", TOKEN, nonce=nonce)])
            assert refused(answer) == "use_dpop_nonce"
            assert len(answer.headers.get_list("DPoP-Nonce")) == 1
        answer = await prover.redeem(code)
        assert len(answer.headers.get_list("DPoP-Nonce")) == 1
        token = answer.json()["access_token"]
        answer = await prover.userinfo(token, nonce="made-up")
        assert refused(answer, at_resource=True) == "use_dpop_nonce"
        assert len(answer.headers.get_list("DPoP-Nonce")) == 1
        assert (await prover.userinfo(token)).status_code == 200


async def test_a_nonce_is_taken_for_some_minutes_and_not_for_ever(provider: Provider) -> None:
    person = await provider.add_person()
    async with provider.http() as http:
        prover = await new_prover(provider, http)
        token = (await prover.tokens(person))["access_token"]
        first = prover.nonce
        provider.clock.advance(minutes=5)
        assert (await prover.userinfo(token, nonce=first)).status_code == 200
        assert prover.nonce != first
        provider.clock.advance(minutes=5)
        assert (await prover.userinfo(token, nonce=first)).status_code == 401


async def test_being_sent_for_a_nonce_costs_neither_code_nor_assertion(provider: Provider) -> None:
    """Some clients send the same assertion again: the request did not come as far as looking at it."""
    person = await provider.add_person()
    metadata: dict[str, object] = {"token_endpoint_auth_method": "private_key_jwt", "jwks": JWKS}
    async with provider.http() as http:
        prover = await new_prover(provider, http, **metadata)
        client_id, now = prover.platform.client.client_id, int(provider.clock.now.timestamp())
        claims = {"iss": client_id, "sub": client_id, "aud": ISSUER, "jti": "one", "exp": now + 60}
        form = prover.platform.request() | {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": sign(claims),
        }
        first = await prover.send("POST", PAR, data=form, proofs=[prover.proof("POST", PAR)])
        assert refused(first) == "use_dpop_nonce"
        second = await prover.send("POST", PAR, data=form, proofs=[prover.proof("POST", PAR)])
        assert second.status_code == 201, second.text
        third = await prover.send("POST", PAR, data=form)
        assert third.json()["error"] == "invalid_client"
        assert person.citizen_id


async def test_a_proof_is_spent_by_the_first_who_shows_it(provider: Provider) -> None:
    """UI-12, abuse class 31: many at once, at a resource and at the token endpoint."""
    person = await provider.add_person()
    async with provider.http() as http:
        prover = await new_prover(provider, http)
        tokens = await prover.tokens(person)
        token = tokens["access_token"]
        seen = prover.proof("GET", USERINFO, access_token=token)
        answers = await asyncio.gather(*(prover.userinfo(token, proofs=[seen]) for _ in range(20)))
        assert Counter(answer.status_code for answer in answers) == {200: 1, 401: 19}
        late = await prover.userinfo(token, proofs=[seen])
        assert refused(late, at_resource=True) == "invalid_dpop_proof"
        codes = [await prover.platform.code_for(http, person) for _ in range(5)]
        seen = prover.proof("POST", TOKEN)
        answers = await asyncio.gather(*(prover.redeem(code, proofs=[seen]) for code in codes))
        outcomes = Counter(str(answer.json().get("error", "ok")) for answer in answers)
        assert outcomes == {"ok": 1, "invalid_dpop_proof": 4}
        for code, answer in zip(codes, answers, strict=True):
            if answer.status_code == 400:
                assert (await prover.redeem(code)).status_code == 200, "the code was not spent with it"


async def test_a_proof_that_was_refused_is_spent_too(provider: Provider) -> None:
    async with provider.http() as http:
        prover = await new_prover(provider, http)
        await prover.redeem("no-code")
        seen = prover.proof("POST", TOKEN)
        assert refused(await prover.redeem("no-code", proofs=[seen])) == "invalid_grant"
        person = await provider.add_person()
        code = await prover.platform.code_for(http, person)
        assert refused(await prover.redeem(code, proofs=[seen])) == "invalid_dpop_proof"


async def test_nobody_spends_the_jti_of_anothers_key(provider: Provider) -> None:
    person = await provider.add_person()
    async with provider.http() as http:
        victim, attacker = [await new_prover(provider, http) for _ in range(2)]
        token = (await victim.tokens(person))["access_token"]
        await attacker.redeem("no-code")
        await attacker.redeem("no-code", proofs=[attacker.proof("POST", TOKEN, jti="guessed")])
        assert (await victim.userinfo(token, jti="guessed")).status_code == 200


async def test_a_token_bound_to_nothing_gains_nothing_by_the_scheme(provider: Provider) -> None:
    person = await provider.add_person()
    async with provider.http() as http:
        prover = Prover(await new_platform(provider), http)
        token = (await prover.platform.tokens_for(http, person))["access_token"]
        await prover.userinfo(token)
        assert refused(await prover.userinfo(token), at_resource=True) == "invalid_token"
        assert (await prover.userinfo(token, scheme="Bearer", proofs=[])).status_code == 200
        assert (await prover.userinfo(token, scheme="Bearer", proofs=["stray"])).status_code == 200


async def test_a_client_of_bound_tokens_gets_no_others(provider: Provider) -> None:
    """TOK-15, TOK-24; KC #36475: at redemption and at refresh."""
    person = await provider.add_person()
    async with provider.http() as http:
        prover = await new_prover(provider, http)
        code = await prover.platform.code_for(http, person)
        assert refused(await prover.redeem(code, proofs=[])) == "invalid_dpop_proof"
        tokens = await prover.tokens(person)
        answer = await prover.refresh(tokens["refresh_token"], proofs=[])
        assert refused(answer) == "invalid_dpop_proof"
        answer = await prover.refresh(tokens["refresh_token"])
        assert (answer.status_code, answer.json()["token_type"]) == (200, "DPoP")


async def test_a_client_with_a_credential_may_change_its_key(provider: Provider) -> None:
    """TOK-23: the new token is bound to the new key, and the old key is no good for it."""
    person = await provider.add_person()
    async with provider.http() as http:
        prover = await new_prover(provider, http)
        tokens = await prover.tokens(person)
        old, prover.key = prover.key, ProofKey("EdDSA")
        renewed = (await prover.refresh(tokens["refresh_token"])).json()
        assert (await prover.userinfo(renewed["access_token"])).status_code == 200
        assert (await prover.userinfo(renewed["access_token"], key=old)).status_code == 401


async def test_a_public_clients_refresh_token_is_bound_to_its_key(provider: Provider) -> None:
    """RFC 9449 §5: there is no other credential that a thief would lack."""
    person = await provider.add_person()
    async with provider.http() as http:
        prover = await new_prover(provider, http, token_endpoint_auth_method="none")
        form = {"client_id": prover.platform.client.client_id}
        code = await prover.platform.code_for(http, person)
        redemption = form | {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": prover.platform.client.redirect_uris[0],
            "code_verifier": prover.platform.verifier,
        }
        tokens = (await prover.send("POST", TOKEN, data=redemption)).json()
        refresh = form | {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        thief = ProofKey()
        stolen = await prover.send(
            "POST", TOKEN, data=refresh, proofs=[prover.proof("POST", TOKEN, key=thief)]
        )
        assert refused(stolen) == "invalid_grant"
        assert (await prover.send("POST", TOKEN, data=refresh)).status_code == 200


@pytest.mark.parametrize("bound_by", ["dpop_jkt", "header", "both"])
async def test_a_stolen_code_needs_the_key_it_was_bound_to(provider: Provider, bound_by: str) -> None:
    """PAR-11, TOK-16; RFC 9449 §10, §10.1."""
    person = await provider.add_person()
    async with provider.http() as http:
        prover = await new_prover(provider, http)
        asked = prover.platform.request(dpop_jkt=None if bound_by == "header" else prover.key.jkt)
        pushed = await prover.send(
            "POST", PAR, data=asked, auth=prover.platform.auth, proofs=[] if bound_by == "dpop_jkt" else None
        )
        assert pushed.status_code == 201, pushed.text
        front = {"client_id": prover.platform.client.client_id, "request_uri": pushed.json()["request_uri"]}
        answer = await http.get("/authorize", params=front)
        code = query_of(await go_on(provider, http, person, answer))["code"]
        await prover.redeem("no-code")
        stolen = await prover.redeem(code, proofs=[prover.proof("POST", TOKEN, key=ProofKey())])
        assert refused(stolen) == "invalid_grant"
        assert refused(await prover.redeem(code, proofs=[])) in {"invalid_grant", "invalid_dpop_proof"}
        assert (await prover.redeem(code)).status_code == 200


async def test_a_pushed_request_names_the_key_it_was_sent_with(provider: Provider) -> None:
    """PAR-10."""
    async with provider.http() as http:
        prover = await new_prover(provider, http)
        asked = prover.platform.request(dpop_jkt=ProofKey().jkt)
        pushed = await prover.send("POST", PAR, data=asked, auth=prover.platform.auth)
        assert refused(pushed) == "invalid_dpop_proof"
