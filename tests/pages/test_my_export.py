"""The file to take along: everything that is held about a person, described, and never a secret. R9."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.types import LargeBinary

from idp.identity.notices import Notice, NoticeKind
from idp.pages.export_words import HAPPENINGS, HOLDINGS
from idp.store.encoding import micros
from idp.store.holdings import SOURCES, HoldingKind
from idp.store.schema import metadata
from idp.store.sealing import column_of
from idp.store.writes import Insert
from tests.support.decoupled import arrive
from tests.support.html_forms import Html
from tests.support.people import linked
from tests.support.provider import ISSUER, Person, Provider

pytestmark = pytest.mark.anyio

ELSEWHERE = {
    "account_links": "links",
    "audit_events": "events and totals",
    "citizens": "register",
    "consents": "consents",
    "personal_numbers": "register",
}
"""Tables about a person that are members of the file of their own."""
LEFT_OUT = {
    "backchannel_requests": "gone within minutes; what came of each is an event",
    "codes": "gone within a minute; each is an event",
    "grants": "what a network was given is an event each time, and a consent",
    "phone_approvals": "gone within minutes; what came of each is an event",
}
OWNERS = {"citizen_id", "holder_citizen_id", "guardian_id", "child_id"}


def test_every_table_about_a_person_is_in_the_file_or_is_left_out_for_a_reason() -> None:
    about = {table.name for table in metadata.sorted_tables if OWNERS & set(table.c.keys())}
    assert about == {source.table.name for source in SOURCES.values()} | ELSEWHERE.keys() | LEFT_OUT.keys()


def test_no_secret_no_other_person_and_no_operator_is_described() -> None:
    for source in SOURCES.values():
        for name in source.columns:
            column = source.table.c[name]
            assert column.info["pii"] != "secret", name
            assert name not in OWNERS | {"issued_by", "approved_by", "opened_by_id"}, name
            assert not isinstance(column.type, LargeBinary) or source.sealed_as is not None, name


def test_whatever_happens_to_something_has_a_word() -> None:
    times = {
        name
        for source in SOURCES.values()
        for name in source.columns
        if name.endswith("_at") or name in {"auth_time", "usable_from", "valid_from"}
    }
    assert times == HAPPENINGS.keys()
    assert HOLDINGS.keys() == set(HoldingKind)


SECRETS = ("hash-of-a-code", "hash-of-a-cookie", "pin-hash", "public-key", "credential-id", "subject-lookup")


async def hold(provider: Provider, person: Person) -> None:
    """Write a row into each table of credentials, as their stores do, and tell of something."""
    seal, now = provider.context.custody.data, micros(provider.clock.now)
    key = person.citizen_id[:8]

    async def insert_into(into: str, **values: Any) -> None:
        table = metadata.tables[into]
        known = {"citizen_id": person.citizen_id, "created_at": now} | values
        row = {column: value for column, value in known.items() if column in table.c}
        uow = provider.unit_of_work()
        uow.record(Insert("row", table, tuple(row)), **row)
        await uow.commit()

    def sealed(name: str, row_id: str, column: str) -> bytes:
        return seal.seal(name.encode(), column_of(row_id, column))

    await insert_into(
        "passkeys",
        credential_id=f"credential-id{key}".encode(),
        passkey_id=f"p{key}",
        public_key=b"public-key",
        sign_count=0,
        name=sealed("Khoá của Lan", f"p{key}", "passkey"),
        aaguid="0" * 8,
        transports="internal",
        attestation="none",
        is_hardware=0,
        is_backup_eligible=1,
        is_backed_up=1,
        revoked_at=now,
        revoked_because="lost",
    )
    await insert_into(
        "app_devices",
        device_id=f"d{key}",
        public_key="public-key",
        pin_hash="pin-hash",
        pin_failures=0,
        name=sealed("Điện thoại của Lan", f"d{key}", "app_name"),
    )
    (await insert_into("recovery_codes", code_hash=f"hash-of-a-code{key}".encode()),)
    await insert_into(
        "trusted_browsers",
        cookie_hash=f"hash-of-a-cookie{key}".encode(),
        browser_id=f"b{key}",
        name=sealed("Firefox ở nhà", f"b{key}", "trusted_browser"),
        last_used_at=now,
        expires_at=now,
    )
    await insert_into(
        "activations",
        activation_id=f"a{key}",
        purpose="enrolment",
        ground="post",
        status="used",
        issued_by="operator-minh",
        issued_at=now,
        usable_from=now,
        expires_at=now,
    )
    await insert_into(
        "upstream_accounts",
        upstream_id="the-other-provider",
        subject_lookup=f"subject-lookup{key}".encode(),
        first_used_at=now,
        last_used_at=now,
    )
    uow = provider.unit_of_work()
    uow.notices.tell(Notice(NoticeKind.FREEZE_ON, person.citizen_id), provider.clock.now)
    await uow.commit()


async def test_what_lets_a_person_in_is_described_and_no_secret_is_there(provider: Provider) -> None:
    async with provider.http() as http, provider.http() as other:
        it = await linked(provider, http)
        theirs = await provider.add_person(name="Phạm Người Khác", address="một nơi bí mật", has_totp=False)
        for person in (it.person, theirs):
            await hold(provider, person)
        exported = (await http.get("/my/activity/export.json")).json()
        page = (await http.get("/my/activity/export.html")).text
        held = {kind.value: exported[kind.value] for kind in HoldingKind}
        assert [each["name"] for each in held["passkeys"]] == ["Khoá của Lan"]
        assert (held["passkeys"][0]["is_backed_up"], held["passkeys"][0]["is_hardware"]) == (True, False)
        assert [each["name"] for each in held["phones"]] == ["Điện thoại của Lan"]
        assert [each["name"] for each in held["browsers"]] == ["Firefox ở nhà"]
        assert [each["kind"] for each in held["authenticators"]] == ["password"]
        assert [each["upstream_id"] for each in held["upstream_accounts"]] == ["the-other-provider"]
        assert (len(held["recovery_codes"]), len(held["activations"])) == (1, 1)
        assert held["recovery_codes"][0]["created_at"].startswith("20")
        assert "freeze_on" in {each["kind"] for each in held["notices"]}
        assert held["sessions"]
        assert exported["register"]["name"] == "Nguyễn Thị Lan"
        assert exported["register"]["personal_number"] == it.person.personal_number
        for expected in ("Khoá của Lan", "Điện thoại của Lan", "Firefox ở nhà", "Nguyễn Thị Lan"):
            assert expected in Html(page).text, expected
        for content in (str(exported), page):
            for hidden in (*SECRETS, "operator-minh", theirs.citizen_id, "một nơi bí mật"):
                assert hidden not in content, hidden
        await arrive(provider, other, theirs, "/my/export")
        assert it.link_id not in (await other.get("/my/activity/export.json")).text


async def test_a_list_longer_than_a_page_is_all_there(provider: Provider) -> None:
    async with provider.http() as http:
        it = await linked(provider, http)
        uow = provider.unit_of_work()
        for _ in range(450):
            uow.notices.tell(Notice(NoticeKind.FREEZE_ON, it.person.citizen_id), provider.clock.now)
        await uow.commit()
        exported = (await http.get("/my/activity/export.json")).json()
        ids = [each["notice_id"] for each in exported["notices"] if each["kind"] == "freeze_on"]
        assert (len(ids), len(set(ids))) == (450, 450)


async def test_the_file_takes_a_sign_in_of_the_last_minutes(provider: Provider) -> None:
    async with provider.http() as http:
        await linked(provider, http)
        page = Html((await http.get("/my/export")).text)
        for form in ("json", "html"):
            assert f"{ISSUER}/my/activity/export.{form}" in page.links
        provider.clock.advance(seconds=timedelta(minutes=11).total_seconds())
        for path in ("/my/export", "/my/activity/export.json", "/my/activity/export.html"):
            assert (await http.get(path)).headers["location"] == f"{ISSUER}/sign-in/export"


def test_a_dispute_names_no_link_for_it_may_be_the_other_partys() -> None:
    source = SOURCES[HoldingKind.CASES]
    assert source.owners == ("citizen_id", "holder_citizen_id")
    assert "link_id" not in source.columns
