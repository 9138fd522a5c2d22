"""The worker: what must hold whatever happens to either process."""

from __future__ import annotations

from barrow import _worker


def test_version() -> None:
    reply = _worker.call("version")
    assert reply.params["version"]
