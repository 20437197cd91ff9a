"""Models against the real program: state machines of hypothesis whose steps share a loop and a database."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

T = TypeVar("T")
_NUMBERS = itertools.count()


class Model(RuleBasedStateMachine):
    """A state machine of tests; each example has a prefix of its own, so that all share one database."""

    def __init__(self, runner: asyncio.Runner) -> None:
        super().__init__()
        self.runner = runner
        self.prefix = f"m{next(_NUMBERS)}"

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)


def hold(model: Callable[[], RuleBasedStateMachine], *, examples: int, steps: int) -> None:
    """Run a model; the same examples in every run, so that a failure is somebody's change."""
    run_state_machine_as_test(
        model,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=True,
            database=None,
            deadline=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
