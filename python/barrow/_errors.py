"""The package's exceptions."""

from __future__ import annotations

from typing import Optional

__all__ = ["EMDError", "LossWarning", "RowError", "WorkerError"]


class RowError(ValueError):
    """Something is wrong with a row of an array, or with an entry of it.

    Attributes
    ----------
    row : int or None
        The row, counting from 0.
    cell : int or None
        Its entry, counting from 0.
    """

    def __init__(self, message: str, row: Optional[int] = None, cell: Optional[int] = None) -> None:
        super().__init__(message)
        self.row = row
        self.cell = cell

    def __reduce__(self) -> tuple[type[RowError], tuple[str, Optional[int], Optional[int]]]:
        return (type(self), (str(self), self.row, self.cell))


class EMDError(RowError):
    """A distance that is not defined, or was not found.

    ``row`` is the pair that it is of, ``cell`` the entry of the pair that is no mass.
    """


class WorkerError(RuntimeError):
    """The program that does the work could not be started, ended, or failed.

    The next call starts a new one.
    """


class LossWarning(UserWarning):
    """A file cannot hold all that was to be written."""
