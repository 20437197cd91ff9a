"""What is wrong about me? A request to the register, which corrects it or says why not. Rules R9, R14.

It asks for no picture of papers and for no new value: the register believes papers that it sees, and what we
do not need we do not collect. What the register holds is shown after a strong and fresh sign-in alone.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from idp.identity.citizens import Citizen
from idp.identity.corrections import Datum, Fault, find_undecided
from idp.pages.correction_views import CorrectionPage, DatumEntry
from idp.pages.frame import form_token, show
from idp.pages.own_pages import strong_form_or_way, strong_or_way
from idp.pages.views import ClaimValue
from idp.store.sessions import SignedIn
from idp.store.unit_of_work import UnitOfWork
from idp.web.answers import see_other
from idp.web.corrections import ask_register, requests_of
from idp.web.failures import note
from idp.web.state import Context, context_of

router = APIRouter(include_in_schema=False)

VISIT = "correction"


@router.get("/my/correction")
async def correction(http: Request) -> Response:
    """Show what the register says, and ask what of it is wrong."""
    context = context_of(http)
    uow = context.unit_of_work()
    signed_in = await strong_or_way(context, uow, http, context.clock(), VISIT)
    if isinstance(signed_in, Response):
        return signed_in
    return show(http, await _view(context, uow, signed_in))


@router.post("/my/correction")
async def ask(http: Request) -> Response:
    """Open the case; about a datum that was asked about and is undecided, lead to that one."""
    context = context_of(http)
    now = context.clock()
    uow = context.unit_of_work()
    sent = await strong_form_or_way(context, uow, http, now, VISIT)
    if isinstance(sent, Response):
        return sent
    signed_in, form = sent
    datum = _datum(form.get("datum", ""))
    fault = Fault(form["fault"]) if form.get("fault") in set(Fault) else None
    if datum is None or fault is None:
        return show(http, await _view(context, uow, signed_in, datum, fault, is_incomplete=True), status=400)
    case = await ask_register(context, uow, signed_in.citizen.citizen_id, (datum, fault), now)
    note(http, reference=case.reference)
    return see_other(f"{context.issuer}/my/cases/{case.reference}")


def _datum(text: str) -> Datum | None:
    return Datum(text) if text in set(Datum) else None


async def _view(
    context: Context,
    uow: UnitOfWork,
    signed_in: SignedIn,
    chosen: Datum | None = None,
    fault: Fault | None = None,
    *,
    is_incomplete: bool = False,
) -> CorrectionPage:
    citizen = signed_in.citizen
    cases = await requests_of(uow, citizen.citizen_id)
    number = await uow.citizens.personal_number(citizen.citizen_id)
    entries = []
    for datum in Datum:
        asked = find_undecided(cases, datum)
        entries.append(
            DatumEntry(
                datum=datum,
                value=_value(citizen, number, datum),
                case_uri=None if asked is None else f"{context.issuer}/my/cases/{asked.reference}",
                is_chosen=datum is chosen,
            )
        )
    return CorrectionPage(
        csrf=form_token(context, signed_in.session),
        action=f"{context.issuer}/my/correction",
        entries=tuple(entries),
        fault=fault,
        is_incomplete=is_incomplete,
    )


def _value(citizen: Citizen, number: str | None, datum: Datum) -> ClaimValue | None:
    """Return what the register says; whom somebody speaks for stands on the page of their children."""
    data = citizen.personal_data
    values: dict[Datum, ClaimValue | None] = {
        Datum.NAME: data.name,
        Datum.PERSONAL_NUMBER: number,
        Datum.BIRTHDATE: data.birthdate,
        Datum.GENDER: data.gender,
        Datum.NATIONALITY: data.nationality,
        Datum.ADDRESS: data.address,
        Datum.PHONE_NUMBER: data.phone_number,
        Datum.EMAIL: data.email,
    }
    return values.get(datum)
