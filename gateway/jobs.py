"""The names of background jobs: what the centre may promise and a worker must know."""

from enum import StrEnum


class Job(StrEnum):
    """A promise that the outbox can hold; each is a task of the same name in `workers`."""

    APPLY = "apply"
    RECONCILE = "reconcile"
    REEVALUATE = "reevaluate"
    EXAMINE = "examine"
