"""Reads policy.toml, strictly: an unknown name, a wrong type or a missing value is refused.

The purposes are those of NIST SP 800-57 part 1 §5.1.1: one key serves one purpose only.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from keys.errors import PolicyError
from keys.key_pairs import ALGORITHMS

POLICY_FILE = Path(__file__).with_name("policy.toml")


@dataclass(frozen=True, slots=True)
class SigningPolicy:
    """Which algorithms have keys, when a rotation is due, how long an old key stays published."""

    algorithms: tuple[str, ...]
    rotate_after: timedelta
    retiring_for: timedelta


@dataclass(frozen=True, slots=True)
class EncryptionPolicy:
    """When a new key for attributes at rest is due."""

    rotate_after: timedelta


@dataclass(frozen=True, slots=True)
class KeyPolicy:
    """The whole of policy.toml. Lookup and pairwise keys have no periods: they are never rotated."""

    signing: SigningPolicy
    encryption: EncryptionPolicy


def read_policy(file: Path = POLICY_FILE) -> KeyPolicy:
    """Read a policy file. Raises PolicyError with a sentence that names the place."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PolicyError(f"{file} cannot be read as TOML: {error}") from error
    check_names(document, "the policy", {"signing", "encryption", "lookup", "pairwise"})
    signing = _table(document, "signing", {"algorithms", "rotate_after_days", "retiring_for_days"})
    encryption = _table(document, "encryption", {"algorithm", "rotate_after_days"})
    check_algorithm(encryption, "encryption", "A256GCM")
    for purpose in ("lookup", "pairwise"):
        check_algorithm(_table(document, purpose, {"algorithm"}), purpose, "HS256")
    return KeyPolicy(
        SigningPolicy(
            algorithms=_algorithms(signing["algorithms"]),
            rotate_after=_days(signing, "signing", "rotate_after_days"),
            retiring_for=_days(signing, "signing", "retiring_for_days"),
        ),
        EncryptionPolicy(rotate_after=_days(encryption, "encryption", "rotate_after_days")),
    )


def check_names(table: Mapping[str, object], where: str, expected: set[str]) -> None:
    """Refuse a name too many as well as one too few: a misspelt period must not mean the default."""
    if unknown := sorted(table.keys() - expected):
        raise PolicyError(f"{where} does not know {', '.join(unknown)}")
    if missing := sorted(expected - table.keys()):
        raise PolicyError(f"{where} lacks {', '.join(missing)}")


def check_algorithm(table: Mapping[str, object], purpose: str, implemented: str) -> None:
    """Refuse a policy that promises another algorithm than the one that is implemented."""
    if table["algorithm"] != implemented:
        raise PolicyError(f"[{purpose}] algorithm is {table['algorithm']!r}; implemented is {implemented!r}")


def _table(document: Mapping[str, object], purpose: str, expected: set[str]) -> Mapping[str, object]:
    table = document[purpose]
    if not isinstance(table, dict):
        raise PolicyError(f"{purpose} must be a table")
    check_names(table, f"[{purpose}]", expected)
    return table


def _algorithms(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise PolicyError("[signing] algorithms must be a list of one or more names")
    if unknown := [name for name in value if not isinstance(name, str) or name not in ALGORITHMS]:
        raise PolicyError(f"[signing] algorithms does not know {unknown}; known are {sorted(ALGORITHMS)}")
    if len(set(value)) != len(value):
        raise PolicyError("[signing] algorithms names one twice")
    return tuple(value)


def _days(table: Mapping[str, object], purpose: str, name: str) -> timedelta:
    value = table[name]
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 3650:
        raise PolicyError(f"[{purpose}] {name} must be a whole number of days from 1 to 3650")
    return timedelta(days=value)
