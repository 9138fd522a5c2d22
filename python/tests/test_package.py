"""The package's names, and the command that it brings along."""

from __future__ import annotations

import subprocess
import sys

import pytest

import barrow


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=300)


def test_names() -> None:
    """Modules are imported when they are asked for; there are all names, and no others."""
    assert set(barrow.__all__) <= set(dir(barrow))
    everything: dict[str, object] = {}
    exec("from barrow import *", everything)
    assert set(barrow.__all__) <= set(everything)
    for name in barrow.__all__:
        assert everything[name] is getattr(barrow, name)
    with pytest.raises(AttributeError, match="module 'barrow' has no attribute 'nonsense'"):
        barrow.nonsense  # type: ignore[attr-defined]
    with pytest.raises(ImportError, match="nonsense"):
        exec("from barrow import nonsense")


@pytest.mark.parametrize("name", barrow.__all__)
def test_each_name_first(name: str) -> None:
    """Whichever is asked for first, by either way."""
    done = python("-c", f"import barrow; one = barrow.{name}; from barrow import {name}; assert one is {name}")
    assert not done.returncode, done.stderr


def test_command_imports_little(command: str) -> None:
    """NumPy takes ten times as long as the command itself."""
    done = python("-X", "importtime", "-m", "barrow", "--version")
    assert not done.returncode and done.stdout.startswith("barrow "), done.stderr
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "barrow._command" in imported, done.stderr
    assert not imported & {"numpy", "barrow._worker", "barrow._transport"}
