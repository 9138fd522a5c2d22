"""Exact earth mover's distances that you can train with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List

from ._errors import EMDError, LossWarning, RowError, WorkerError
from ._version import __version__

__all__ = [
    "Certificate",
    "EMDError",
    "Encoder",
    "Loss",
    "LossWarning",
    "Metric",
    "Plan",
    "RowError",
    "Transport",
    "WorkerError",
    "__version__",
    "econt",
    "emd",
    "emd2",
    "emds",
    "iterate",
    "loss",
    "losses",
    "read",
    "simulate",
    "solve_batch",
    "surrogate",
    "write",
]

if TYPE_CHECKING:
    from . import econt, surrogate
    from ._encoder import Encoder
    from ._events import emds
    from ._files import iterate, read, write
    from ._losses import Loss, loss, losses
    from ._pot import emd, emd2
    from ._simulate import simulate
    from ._transport import Certificate, Plan, Transport, solve_batch
    from .metric import Metric
else:
    # Modules are imported with the first of their names that is asked for: the command
    # `barrow` needs none, and NumPy takes longer to import than the program to answer.
    _MODULES = {
        "_encoder": ["Encoder"],
        "_events": ["emds"],
        "_files": ["iterate", "read", "write"],
        "_losses": ["Loss", "loss", "losses"],
        "_pot": ["emd", "emd2"],
        "_simulate": ["simulate"],
        "_transport": ["Certificate", "Plan", "Transport", "solve_batch"],
        "econt": [],
        "metric": ["Metric"],
        "surrogate": [],
    }

    def __getattr__(name: str) -> Any:
        from importlib import import_module

        for module, names in _MODULES.items():
            if name == module or name in names:
                found = import_module(f"{__name__}.{module}")
                value = found if name == module else getattr(found, name)
                globals()[name] = value
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> List[str]:
        return sorted({*globals(), *__all__})
