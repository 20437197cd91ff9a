"""One processor for the server under measurement, the others for the load and the database.

Where they share processors, waking one another costs the server more than its own work does, and by chance.
"""

import os


def keep_one_free() -> None:
    """Leave the last processor to the server; what is started from here on inherits the rest."""
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) > 1:
        os.sched_setaffinity(0, processors[:-1])


def give_the_free_one_to(pid: int) -> None:
    """Move a process to the processor that was left free."""
    last = (os.cpu_count() or 1) - 1
    os.sched_setaffinity(pid, {last})
