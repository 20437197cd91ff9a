"""The view model of a request to the register. Beside `views`."""

from dataclasses import dataclass
from typing import ClassVar

from idp.identity.corrections import Datum, Fault
from idp.pages.views import ClaimValue, Page


@dataclass(frozen=True, slots=True, kw_only=True)
class DatumEntry:
    """One datum, as the register says it."""

    datum: Datum
    value: ClaimValue | None = None
    """None where the register says nothing, or what it says is no single value."""
    case_uri: str | None = None
    """Where the undecided request about it stands."""
    is_chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionPage(Page):
    """What is wrong about me? `form#correction` with `datum` and `fault`."""

    template: ClassVar[str] = "my_account/correction.html"

    action: str
    entries: tuple[DatumEntry, ...]
    fault: Fault | None = None
    """What was chosen before."""
    is_incomplete: bool = False
    """Sent without a datum or without a fault."""

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Everything that can be wrong."""
        return tuple(Fault)
