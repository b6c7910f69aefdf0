"""Processor time and memory of a process tree, from /proc."""

import os
from contextlib import suppress
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def seconds(root: int) -> float:
    """The CPU seconds, user and system, of process *root* and all below it; children that have ended count too."""
    return sum(map(_ticks, tree(root))) / TICK


def tree(root: int) -> list[int]:
    """The ids of process *root* and all below it."""
    found = [root]
    for process in found:
        for task in Path(f"/proc/{process}/task").glob("*/children"):
            with suppress(FileNotFoundError, ProcessLookupError):  # the thread ended just now
                found.extend(map(int, task.read_text().split()))
    return found


def _ticks(process: int) -> int:
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return 0  # it ended just now, and its parent's times have it
    fields = stat.rpartition(")")[2].split()
    utime, stime, of_children = int(fields[11]), int(fields[12]), int(fields[13]) + int(fields[14])
    return utime + stime + of_children


def greatest_memory(root: int) -> int:
    """The bytes in memory of the greatest process below *root*; those it shares count by its share (PSS)."""
    return max(map(_memory, tree(root)[1:]), default=0)


def _memory(process: int) -> int:
    try:
        found = Path(f"/proc/{process}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    line = next((line for line in found.splitlines() if line.startswith("Pss:")), "Pss: 0 kB")
    return int(line.split()[1]) * 1024
