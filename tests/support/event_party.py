"""A relying party of a column as a receiver of security events: its token, its stream, what it is told."""

import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt

from idp.deliveries.fan_out import FanOut
from idp.identity.account_links import Status
from idp.protocol.security_events import SecurityEvent
from idp.store.person_changes import person_changed
from idp.store.set_deliveries import delivery_of
from tests.support.columns import Column
from tests.support.deliveries import work_off, world_of
from tests.support.party import Party
from tests.support.provider import Person
from tests.support.served_here import ServedHere
from tests.support.shared_provider import move_link

POLL_METHOD, PUSH_METHOD = "urn:ietf:rfc:8936", "urn:ietf:rfc:8935"


@dataclass
class EventParty:
    """One receiver; the addresses are those that the transmitter names."""

    party: Party
    metadata: dict[str, Any]
    token: str = field(repr=False)

    @classmethod
    def registered(cls, op: ServedHere, column: Column, scope: str = "ssf.read ssf.manage") -> "EventParty":
        party = Party.registered(
            op,
            column,
            grant_types=["authorization_code", "refresh_token", "client_credentials"],
            scope=f"{column.registered_scope} {scope}",
        )
        metadata = party.back.get("/.well-known/ssf-configuration").json()
        return cls(party, metadata, cls.token_of(party, scope)["access_token"])

    @staticmethod
    def token_of(party: Party, scope: str) -> dict[str, Any]:
        """Return the token response for a scope of the client's own."""
        response = party.post("/token", {"grant_type": "client_credentials", "scope": scope})
        assert response.status_code == 200, response.text
        tokens: dict[str, Any] = response.json()
        return tokens

    @property
    def op(self) -> ServedHere:
        return self.party.op

    def ask(self, method: str, endpoint: str, stream_id: str | None = None, **more: Any) -> httpx.Response:
        """Ask an endpoint by its name in the metadata, or an address, with the token as it is bound."""
        address = self.metadata.get(endpoint, endpoint)
        token, query = more.pop("token", self.token), {} if stream_id is None else {"stream_id": stream_id}
        for _ in range(2):
            shown = self.party.bearer_headers(token, method, address)
            response = self.party.back.request(method, address, headers=shown, params=query, **more)
            self.party.nonce = response.headers.get("dpop-nonce", self.party.nonce)
            if "use_dpop_nonce" not in response.headers.get("www-authenticate", ""):
                break
        return response

    def create(self, **members: Any) -> dict[str, Any]:
        response = self.ask("POST", "configuration_endpoint", json=members)
        assert response.status_code == 201, response.text
        created: dict[str, Any] = response.json()
        return created

    def poll(self, stream: dict[str, Any], **members: Any) -> dict[str, str]:
        """Fetch what waits, at once; return the SETs by their jti."""
        asked = {"returnImmediately": True} | members
        response = self.ask("POST", stream["delivery"]["endpoint_url"], json=asked)
        assert response.status_code == 200, response.text
        sets: dict[str, str] = response.json()["sets"]
        return sets

    def hear_all(self, stream: dict[str, Any]) -> list[dict[str, Any]]:
        """Fetch and acknowledge until nothing waits; return the claims of every SET."""
        heard: list[dict[str, Any]] = []
        sets = self.poll(stream)
        while sets:
            heard += map(self.verified, sets.values())
            sets = self.poll(stream, ack=list(sets))
        return heard

    def verified(self, token: str) -> dict[str, Any]:
        """Verify a SET as this receiver would; return its claims."""
        assert jwt.get_unverified_header(token)["typ"] == "secevent+jwt"
        algorithm = self.party.client.id_token_signed_response_alg
        return self.party.verified(token, algorithm, require=["iss", "aud", "iat", "jti", "events"])

    def happens(self, event: SecurityEvent) -> None:
        """Have the provider tell this receiver of an event."""

        async def record() -> None:
            uow = self.op.provider.unit_of_work()
            uow.outbox.add(delivery_of(self.party.client_id, event, self.op.clock.now))
            await uow.commit()

        self.op.run(record())

    def changes_password(self, person: Person) -> None:
        """Have the register tell of a person's new password, as an import does."""

        async def record() -> None:
            uow = self.op.provider.unit_of_work()
            changed = person_changed(person.citizen_id, [("password", "update")], self.op.clock.now)
            uow.outbox.add(changed)
            await uow.commit()

        self.op.run(record())

    def suspends(self, link_id: str) -> None:
        """Have an operator suspend a link."""
        self.op.run(move_link(self.op.provider, link_id, Status.SUSPENDED))

    def told(self) -> None:
        """Have the delivering process follow what happened and push what is due."""

        async def deliver() -> None:
            async with world_of(self.op.provider) as world:
                await FanOut(world, f"test-{secrets.token_hex(4)}").follow()
                await work_off(world)

        self.op.run(deliver())
