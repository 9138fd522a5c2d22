"""The command ``barrow``: the program that the package carries, with the arguments as they are.

Nothing is imported that takes long: Python goes as soon as it knows where the program is.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

from ._errors import WorkerError
from ._program import program


def main() -> NoReturn:
    """Become the program. Arguments, streams, signals and exit status are its own."""
    try:
        path = program()
    except WorkerError as error:
        sys.exit(str(error))
    if sys.platform == "win32":
        import subprocess

        # There is no exec that keeps the process, so this one waits. The console sends
        # Ctrl-C to both; the program is the one to say what it means.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.exit(subprocess.run([path, *sys.argv[1:]]).returncode)
    # Python ignores this one, and exec hands that on.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execv(path, ["barrow", *sys.argv[1:]])
