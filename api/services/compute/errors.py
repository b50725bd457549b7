"""Errors of computations.

EbbtideError
├── TooCostlyError            it would cost more than is allowed; says what would be
├── QueueFullError            too many wait; to be tried again later
├── ComputationTimeoutError   it took longer than its price allows
└── ComputationFailedError    its process ended: out of memory, or killed
"""

from __future__ import annotations

from ebbtide.errors import EbbtideError


class TooCostlyError(EbbtideError):
    """The computation would cost more than is allowed."""


class QueueFullError(EbbtideError):
    """Too many computations wait already."""


class ComputationTimeoutError(EbbtideError):
    """The computation was stopped because it took too long."""


class ComputationFailedError(EbbtideError):
    """The process of the computation ended before it did."""
