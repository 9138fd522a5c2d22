"""The examples of docs/python.md and of the README run as they stand, and print what they say."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, List, NamedTuple

import pytest

END = "-- end of block --"
ROOT = Path(__file__).resolve().parents[2]


class Section(NamedTuple):
    """What stands under one heading: blocks of code, each with what it prints, or None if that is not said."""

    file: Path
    title: str
    blocks: List[List[Any]]


def sections(file: Path) -> List[Section]:
    found, block, language, start = [Section(file, "", [])], None, "", 0
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if block is None and line.startswith("## "):
            found.append(Section(file, line[3:], []))
        elif block is None and line.startswith("```"):
            block, language, start = [], line[3:], number
        elif block is not None and line == "```":
            text = "".join(x + "\n" for x in block)
            if language == "python":
                found[-1].blocks.append([start, text, None])
            elif language == "text" and found[-1].blocks:
                found[-1].blocks[-1][2] = text
            block = None
        elif block is not None:
            block.append(line)
    return [s for s in found if s.blocks]


ALL = [s for name in ("docs/python.md", "README.md") for s in sections(ROOT / name)]


@pytest.mark.parametrize("section", ALL, ids=[f"{s.file.name}: {s.title}" for s in ALL])
def test_examples(section: Section, tmp_path: Path) -> None:
    for _, code, _ in section.blocks:
        for module in re.findall(r"^ *(?:import|from) ([\w.]+)", code, re.M):
            needed = module.split(".")[-1] if module in ("barrow.torch", "barrow.jax", "barrow.keras") else module.split(".")[0]
            if importlib.util.find_spec(needed) is None:
                pytest.skip(f"{needed} is not installed")
    # A process of its own, as users have one; each block ends with a line that says so.
    script = tmp_path / "section.py"
    ending = f'\nif __name__ == "__main__":\n    print({END!r}, flush=True)\n'
    script.write_text("".join(code + ending for _, code, _ in section.blocks), encoding="utf-8")
    run = subprocess.run([sys.executable, "-W", "ignore", script.name], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    for (start, _, want), printed in zip(section.blocks, run.stdout.split(END + "\n")):
        if want is not None:
            assert printed == want, f"{section.file.name}, line {start}"


def test_there_are_examples() -> None:
    assert len(ALL) > 8 and {s.file.name for s in ALL} == {"python.md", "README.md"}
