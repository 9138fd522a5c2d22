"""``python -m barrow`` is the command ``barrow``."""

from ._command import main

main()
