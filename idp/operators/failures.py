"""Expected failures, each as one sentence for the person at the keyboard; only a defect has a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

from idp.operators.output import CommandFailedError
from idp.settings import SettingsError
from idp.store.opening import DatabaseURLError
from idp.store.writes import GateClosedError, StoreUnavailableError, UniquenessError
from keys import CustodyError

MEANWHILE = (
    "Somebody else changed the same thing at the same moment. Look at it again and repeat the command."
)


@contextmanager
def explained() -> Iterator[None]:
    """Turn what may go wrong around the program into a CommandFailedError."""
    try:
        yield
    except SettingsError as error:
        raise CommandFailedError("The settings cannot be used.", problems_in(error)) from error
    except StoreUnavailableError as error:
        raise CommandFailedError(f"The database cannot be used: {_told(error)}.") from error
    except DatabaseURLError as error:
        raise CommandFailedError(f"IDP_DATABASE_URL: {error}.") from error
    except CustodyError as error:
        raise CommandFailedError(f"The keys cannot be used: {_first_line(error)}.") from error
    except (GateClosedError, UniquenessError) as error:
        raise CommandFailedError(MEANWHILE) from error


def problems_in(error: SettingsError) -> list[str]:
    """Return what is wrong, setting by setting; the error joins them with semicolons."""
    return str(error).split("; ")


def _told(error: StoreUnavailableError) -> str:
    """Return the sentence with the driver's own words, which name the file, host or account."""
    # SQLAlchemy wraps the driver's error; the driver's words are the ones that help.
    cause = getattr(error.__cause__, "orig", error.__cause__)
    own = _first_line(error)
    if not isinstance(cause, BaseException) or _first_line(cause) in own:
        return own
    return f"{own} ({_first_line(cause) or type(cause).__name__})"


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0].rstrip(" .")
