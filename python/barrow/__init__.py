"""Exact earth mover's distances that you can train with."""

from __future__ import annotations

from . import econt, surrogate
from ._encoder import Encoder
from ._errors import EMDError, LossWarning, WorkerError
from ._events import emds
from ._files import iterate, read, write
from ._pot import emd, emd2
from ._simulate import simulate
from ._transport import Certificate, Plan, Transport, solve_batch
from ._version import __version__
from .metric import Metric

__all__ = [
    "Certificate",
    "EMDError",
    "Encoder",
    "LossWarning",
    "Metric",
    "Plan",
    "Transport",
    "WorkerError",
    "__version__",
    "econt",
    "emd",
    "emd2",
    "emds",
    "iterate",
    "read",
    "simulate",
    "solve_batch",
    "surrogate",
    "write",
]
