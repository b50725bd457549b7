"""Bounded computations: what they cost, one at a time a person, in processes of their own."""

from api.services.compute.cancellation import (
    Computation,
    ComputationStoppedError,
    current_computation,
    raise_if_stopped,
    running,
)
from api.services.compute.errors import (
    ComputationFailedError,
    ComputationTimeoutError,
    QueueFullError,
    TooCostlyError,
)
from api.services.compute.pool import (
    WorkerPool,
    close_pool,
    compute,
    get_pool,
    replace_workers,
)

__all__ = [
    "Computation",
    "ComputationFailedError",
    "ComputationStoppedError",
    "ComputationTimeoutError",
    "QueueFullError",
    "TooCostlyError",
    "WorkerPool",
    "close_pool",
    "compute",
    "current_computation",
    "get_pool",
    "raise_if_stopped",
    "replace_workers",
    "running",
]
