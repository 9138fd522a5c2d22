"""Where the program is that does the work."""

from __future__ import annotations

import os
import sys

from ._errors import WorkerError

__all__ = ["program"]


def program() -> str:
    """The path of the program ``barrow``.

    The environment variable ``BARROW`` names it, or else it lies in the package.
    """
    named = os.environ.get("BARROW")
    if named:
        import shutil  # for this alone: see _command

        found = shutil.which(named)
        if found is None:
            raise WorkerError(f"barrow: the environment variable BARROW names {named!r}, which is no program")
        return found
    name = "barrow.exe" if sys.platform == "win32" else "barrow"
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_bin", name)
    if not os.path.isfile(path):
        raise WorkerError(
            f"barrow: the package has no program {path}: it was not installed from a wheel of this platform; "
            "install one, or name a program with the environment variable BARROW"
        )
    return path
