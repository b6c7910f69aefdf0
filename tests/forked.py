"""Processes forked from one that has loaded already what takes seconds to load: the ``authserver`` command among them.

That the program itself starts, with its own interpreter, is seen where servers are started (and in tests/cli).
"""

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from authserver.cli.main import COMMANDS, main

COMMAND_SECONDS = 120
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    [
        *sorted({f"authserver.cli.{place.partition('.')[0]}" for place, _ in COMMANDS.values()}),
        "tests.store.test_killed_half_way",
    ]
)


def authserver(*arguments: str, environment: Mapping[str, str], folder: Path) -> str:
    """What the command writes, as an administrator would run it in *folder*, in a process of its own."""
    with tempfile.TemporaryDirectory() as place:
        said, complained = Path(place, "said"), Path(place, "complained")
        words = tuple(map(str, arguments))  # of an enumeration the other process would get the member
        process = PROCESSES.Process(target=_run, args=(words, dict(environment), folder, said, complained))
        process.start()
        process.join(COMMAND_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
        assert process.exitcode == 0, f"authserver {' '.join(arguments)}: {complained.read_text()}"
        return said.read_text()


def _run(
    arguments: tuple[str, ...], environment: Mapping[str, str], folder: Path, said: Path, complained: Path
) -> None:
    for place, stream in ((said, sys.stdout), (complained, sys.stderr)):
        with place.open("wb") as opened:
            os.dup2(opened.fileno(), stream.fileno())
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    main(arguments, prog_name="authserver")
