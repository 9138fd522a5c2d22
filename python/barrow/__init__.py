"""Exact earth mover's distances that you can train with."""

from __future__ import annotations

from ._errors import EMDError, WorkerError

__version__ = "0.2.0"

__all__ = ["EMDError", "WorkerError"]
