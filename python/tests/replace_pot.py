"""A plugin of pytest that puts barrow's emd and emd2 in the place of POT's."""

from __future__ import annotations

import sys

import ot

import barrow


def pytest_configure(config):
    for name in ("emd", "emd2"):
        theirs, ours = getattr(ot, name), getattr(barrow, name)
        for module in [m for key, m in sys.modules.items() if key == "ot" or key.startswith("ot.")]:
            if getattr(module, name, None) is theirs:
                setattr(module, name, ours)


def pytest_report_header(config):
    return f"ot.emd is {ot.emd.__module__}.emd, ot.emd2 is {ot.emd2.__module__}.emd2"
