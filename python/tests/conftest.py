"""What the tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import barrow
from barrow._program import program


@pytest.fixture(scope="session")
def command() -> str:
    """The program, or the test is skipped."""
    try:
        return program()
    except barrow.WorkerError as e:
        pytest.skip(str(e))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of test data beside the project (BARROW_DATA), or the test is skipped."""
    folder = Path(os.environ.get("BARROW_DATA") or Path(__file__).resolve().parents[2].parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no test data in {folder}: set BARROW_DATA")
    return folder
