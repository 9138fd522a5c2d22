"""The package's exceptions."""

from __future__ import annotations

from typing import Optional

__all__ = ["EMDError", "LossWarning", "WorkerError"]


class EMDError(ValueError):
    """A distance that is not defined, or was not found.

    Attributes
    ----------
    row : int or None
        The pair that it is of, counting from 0.
    cell : int or None
        The entry of the pair that is no mass, counting from 0.
    """

    def __init__(self, message: str, row: Optional[int] = None, cell: Optional[int] = None) -> None:
        super().__init__(message)
        self.row = row
        self.cell = cell

    def __reduce__(self) -> tuple[type[EMDError], tuple[str, Optional[int], Optional[int]]]:
        return (type(self), (str(self), self.row, self.cell))


class WorkerError(RuntimeError):
    """The program that does the work could not be started, ended, or failed.

    The next call starts a new one.
    """


class LossWarning(UserWarning):
    """A file cannot hold all that was to be written."""
