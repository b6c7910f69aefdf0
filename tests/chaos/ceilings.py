"""Ceilings that the nodes share by Redis: what one of them has admitted, the other does not admit once more."""

import time
from collections.abc import Iterator

import httpx2

from .nodes import Node
from .stage import Stage

AMOUNT = 60  # manifests that a guard may send in an hour, by default; nothing else of the load sends one
IN_A_ROW = 6  # refusals, by whichever of a node's workers
PAUSE = 0.3  # seconds, in which a worker learns what others admitted of whom it admitted itself


def counted_apart(stage: Stage) -> Iterator[str]:
    """What is wrong, in words, if one node still admits what the other has none left of.

    By itself, a worker would admit the whole amount.
    """
    one, other = stage.nodes
    for _ in range(2 * AMOUNT):
        _sends_manifest(stage, one)
    refused = 0
    for _ in range(AMOUNT // 2):
        refused = refused + 1 if _sends_manifest(stage, other) == 429 else 0
        if refused == IN_A_ROW:
            return
        time.sleep(PAUSE)
    yield "a node admits what another has admitted already: ceilings are not counted together again"


def _sends_manifest(stage: Stage, node: Node) -> int:
    """What the guard is answered. There is nothing in the manifest, which is looked at after the ceiling."""
    url = f"http://127.0.0.1:{node.port}/tool-manifest"
    return httpx2.post(url, data=stage.load.guard.form(), timeout=60, trust_env=False).status_code
