"""The package's version: this line is where wheels have theirs from."""

__version__ = "0.2.0"
