"""The words of requests to the register: what it holds, what can be wrong with it, what it answered."""

from collections.abc import Callable, Mapping

from babel.support import Translations

from idp.identity.corrections import CorrectionOutcome, Datum, Fault
from idp.pages.words import CLAIMS, msgid

DATA: Mapping[Datum, str] = {
    **{datum: CLAIMS[datum.value] for datum in Datum if datum.value in CLAIMS},
    Datum.GUARDIANS: msgid("Who speaks for whom, as parent or guardian"),
}

FAULTS: Mapping[Fault, str] = {
    Fault.MISSPELT: msgid("It is written wrongly"),
    Fault.OUTDATED: msgid("It was right once, and has changed"),
    Fault.NOT_MINE: msgid("It is not mine"),
    Fault.MISSING: msgid("It is missing"),
}

OUTCOMES: Mapping[str, str] = {
    CorrectionOutcome.CORRECTED: msgid("The register has corrected it"),
    CorrectionOutcome.CONFIRMED: msgid(
        "The register stands by what it says. Go to its office with your papers"
    ),
    CorrectionOutcome.WITHDRAWN: msgid("You took the request back"),
}


def correction_filters(translations: Translations) -> dict[str, Callable[..., object]]:
    """Return the filters of one language's templates, by their names there."""
    translate = translations.ugettext
    return {
        "datum": lambda datum: translate(DATA[datum]),
        "fault": lambda fault: translate(FAULTS[fault]),
        "correction_outcome": lambda outcome: translate(OUTCOMES[outcome]),
    }
