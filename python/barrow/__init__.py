"""Exact earth mover's distances that you can train with."""

from __future__ import annotations

from ._errors import EMDError, WorkerError

__all__ = ["EMDError", "WorkerError"]
