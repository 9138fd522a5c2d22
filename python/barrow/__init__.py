"""Exact earth mover's distances that you can train with."""

from __future__ import annotations

from ._errors import EMDError, WorkerError
from ._transport import Certificate, Plan, Transport, solve_batch
from ._version import __version__
from .metric import Metric

__all__ = ["Certificate", "EMDError", "Metric", "Plan", "Transport", "WorkerError", "__version__", "solve_batch"]
