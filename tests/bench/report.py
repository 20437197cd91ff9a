"""What an operation may cost, what it cost, and the table of both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """Multiples of one bare FastAPI route, and what goes to the database."""

    bare_routes: float
    statements: float
    commits: float


BUDGETED_ENGINE = "postgresql"
"""The budgets are set for the production engine; SQLite, the trial engine, is measured beside it."""

BUDGETS: Mapping[str, Budget] = {
    "sign-in without the hash": Budget(20, 6, 2),
    "returning sign-in": Budget(7, 3, 1),
    "code exchange, link activated": Budget(10, 3, 1),
    "refresh with rotation": Budget(7, 2, 1),
    "userinfo": Budget(6, 1, 0),
    "introspection, JWT": Budget(5, 1, 0),
    "introspection, opaque": Budget(3, 1, 0),
    "client_credentials": Budget(4, 1, 1),
    "pushed request, private_key_jwt": Budget(8, 2, 1),
    "pushed request, private_key_jwt and DPoP": Budget(10, 2, 1),
    "code exchange, private_key_jwt and DPoP": Budget(14, 4, 1),
    "discovery": Budget(1, 0, 0),
    "sign-in with a passkey": Budget(28, 6, 2),
    "sign-in by the phone": Budget(180, 40, 12),
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one operation cost on the average."""

    milliseconds: float
    statements: float = 0.0
    commits: float = 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """One operation on one engine."""

    engine: str
    operation: str
    cost: Cost
    bare: float
    """Milliseconds of one bare route in the same run."""

    @property
    def multiple(self) -> float:
        return self.cost.milliseconds / self.bare

    @property
    def excesses(self) -> list[str]:
        """Name what is over its budget. A tenth of a statement is background work, not the operation."""
        if self.engine != BUDGETED_ENGINE:
            return []
        budget = BUDGETS[self.operation]
        found = {
            "time": self.multiple > budget.bare_routes,
            "statements": self.cost.statements > budget.statements + 0.1,
            "commits": self.cost.commits > budget.commits + 0.1,
        }
        return [name for name, is_over in found.items() if is_over]


def markdown(rows: Sequence[Row], bare: float, operations: int) -> str:
    """Return the table as the README shows it."""
    lines = [
        f"One bare FastAPI route that returns a ready response: {bare * 1000:.0f} µs of processor time.",
        f"Up to {operations} operations each; processor time of the provider's process.",
        "",
        "| operation | engine | CPU ms | bare routes (budget) | statements (budget) | commits (budget) | |",
        "|---|---|--:|--:|--:|--:|---|",
    ]
    for row in rows:
        budget, cost = BUDGETS[row.operation], row.cost
        shown = f"| {row.operation} | {row.engine} | {cost.milliseconds:.3f}"
        if row.engine == BUDGETED_ENGINE:
            verdict = f"over: {', '.join(row.excesses)}" if row.excesses else "within"
            lines.append(
                f"{shown} | {row.multiple:.1f} ({budget.bare_routes:g})"
                f" | {cost.statements:.1f} ({budget.statements:g})"
                f" | {cost.commits:.1f} ({budget.commits:g}) | {verdict} |"
            )
        else:
            lines.append(f"{shown} | {row.multiple:.1f} | {cost.statements:.1f} | {cost.commits:.1f} | |")
    return "\n".join(lines)
