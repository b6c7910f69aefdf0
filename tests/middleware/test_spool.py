"""The queue on disk: what was put is there after any end of its process, once, and never more than its bound."""

import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from mcp_token_guard.spool import SEGMENT_BYTES, Spool, SpoolFull

pytestmark = pytest.mark.requirement("RS-8")

MUCH = 10_000_000


def rest(spool: Spool, lines: int = 100, most: int = 100_000) -> list[bytes]:
    """All that waits, dealt with as it is read."""
    found: list[bytes] = []
    while portion := spool.portion(most, lines):
        found += portion.lines
        spool.dealt_with(portion)
    return found


def end_of(child: Callable[[], object]) -> None:
    """Run *child* in a fork that is killed when it returns."""
    process = os.fork()
    if process == 0:
        try:
            child()
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(process, 0)


def put_elsewhere(folder: Path, count: int, end: str) -> None:
    """Put *count* lines in another process, which then does *end*."""
    program = f"""
        import os, signal
        from pathlib import Path
        from mcp_token_guard.spool import Spool
        spool = Spool(Path({str(folder)!r}), {MUCH})
        for number in range({count}):
            spool.put(b"%d\\n" % number)
        {end}
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False, timeout=30)


def test_lines_come_out_as_they_went_in_and_once(tmp_path: Path):
    spool = Spool(tmp_path / "spool", MUCH)
    for number in range(10):
        spool.put(b"%d\n" % number)
    assert rest(spool, lines=3, most=1) == [b"%d" % number for number in range(10)]
    assert rest(spool) == []
    spool.put(b"one more\n")
    assert rest(spool) == [b"one more"]


def test_what_was_read_and_not_dealt_with_is_read_again(tmp_path: Path):
    spool = Spool(tmp_path / "spool", MUCH)
    spool.put(b"a\n")
    assert spool.portion(100, 1) is not None
    assert rest(spool) == [b"a"]


def test_a_portion_that_two_have_read_ends_nothing_that_came_later(tmp_path: Path):
    spool = Spool(tmp_path / "spool", MUCH)
    spool.put(b"a\n")
    one, other = spool.portion(100, 100), spool.portion(100, 100)
    assert one is not None
    assert other is not None
    spool.dealt_with(one)
    spool.put(b"b\n")
    spool.dealt_with(other)
    assert rest(spool) == [b"b"]


def test_what_is_no_segment_stands_in_nobodys_way(tmp_path: Path):
    put_elsewhere(tmp_path / "spool", 2, "")
    (tmp_path / "spool" / "0.receipts").mkdir()
    (tmp_path / "spool" / "1.receipts").symlink_to(tmp_path / "elsewhere")
    assert rest(Spool(tmp_path / "spool", MUCH)) == [b"0", b"1"]


def test_what_comes_while_a_portion_is_dealt_with_is_kept(tmp_path: Path):
    spool = Spool(tmp_path / "spool", MUCH)
    spool.put(b"a\n")
    portion = spool.portion(100, 100)
    spool.put(b"b\n")
    assert portion is not None
    spool.dealt_with(portion)
    assert rest(spool) == [b"b"]


def test_folder_and_files_are_the_owners_alone(tmp_path: Path):
    before = os.umask(0)
    try:
        spool = Spool(tmp_path / "deep" / "spool", MUCH)
        spool.put(b"a\n")
    finally:
        os.umask(before)
    folder = tmp_path / "deep" / "spool"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()] == [0o600]


@pytest.mark.parametrize("mode", [0o750, 0o707])
def test_a_folder_that_is_open_to_others_is_not_used(tmp_path: Path, mode: int):
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool").chmod(mode)
    with pytest.raises(PermissionError, match="0700"):
        Spool(tmp_path / "spool", MUCH).put(b"a\n")


def test_a_link_in_the_folders_place_is_not_followed(tmp_path: Path):
    (tmp_path / "mine").mkdir(mode=0o700)
    (tmp_path / "spool").symlink_to(tmp_path / "mine")
    with pytest.raises(PermissionError):
        Spool(tmp_path / "spool", MUCH).put(b"a\n")


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), signal.SIGKILL)", "os._exit(1)", ""])
def test_what_a_process_left_however_it_ended_is_adopted(tmp_path: Path, end: str):
    put_elsewhere(tmp_path / "spool", 50, end)
    spool = Spool(tmp_path / "spool", MUCH)
    assert rest(spool) == [b"%d" % number for number in range(50)]
    assert list((tmp_path / "spool").iterdir()) == []


def test_what_a_living_process_has_is_left_to_it(tmp_path: Path):
    owner, other = Spool(tmp_path / "spool", MUCH), Spool(tmp_path / "spool", MUCH)
    owner.put(b"a\n")
    assert rest(other) == []
    assert rest(owner) == [b"a"]


def test_a_fork_leaves_to_its_parent_what_is_the_parents(tmp_path: Path):
    spool = Spool(tmp_path / "spool", MUCH)
    spool.put(b"parent\n")

    def child() -> None:
        rest(spool)
        spool.put(b"child\n")

    end_of(child)
    assert rest(spool) == [b"child", b"parent"]


def test_a_line_that_a_crash_cut_short_is_skipped(tmp_path: Path):
    put_elsewhere(tmp_path / "spool", 2, "os.write(spool._current.descriptor, b'half a li')")
    spool = Spool(tmp_path / "spool", MUCH)
    assert rest(spool) == [b"0", b"1"]
    assert list((tmp_path / "spool").iterdir()) == []


def test_the_bound_holds_for_all_processes_together_and_the_newest_is_refused(tmp_path: Path):
    put_elsewhere(tmp_path / "spool", 1000, "")
    owner = Spool(tmp_path / "spool", MUCH)
    owner.put(b"1234567\n")
    used = sum(file.stat().st_size for file in (tmp_path / "spool").iterdir())
    small = Spool(tmp_path / "spool", used + 8)
    small.portion(1, 1)  # it adopts what is left, and sees what the owner has
    small.put(b"1234567\n")
    with pytest.raises(SpoolFull):
        small.put(b"1234567\n")
    assert len(rest(small)) == 1001
    small.put(b"1234567\n")


def test_a_bound_is_met_and_room_is_made_segment_by_segment(tmp_path: Path):
    spool = Spool(tmp_path / "spool", 8 * SEGMENT_BYTES)
    line = b"x" * 1023 + b"\n"
    for _ in range(8 * 1024):
        spool.put(line)
    with pytest.raises(SpoolFull):
        spool.put(line)
    files = list((tmp_path / "spool").iterdir())
    assert sum(file.stat().st_size for file in files) == 8 * SEGMENT_BYTES
    assert len(files) == 8
    assert len(rest(spool)) == 8 * 1024


def test_many_threads_put_while_one_takes(tmp_path: Path):
    spool, found = Spool(tmp_path / "spool", MUCH), []

    def put(thread: int) -> None:
        for number in range(500):
            spool.put(b"%d %d\n" % (thread, number))

    threads = [threading.Thread(target=put, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        found += rest(spool)
    found += rest(spool)
    assert sorted(found) == sorted(b"%d %d" % (thread, number) for thread in range(4) for number in range(500))


def test_a_disk_that_is_full_costs_the_line_and_nothing_before_or_after(tmp_path: Path):
    resource = pytest.importorskip("resource")
    spool = Spool(tmp_path / "spool", MUCH)
    spool.put(b"before\n")
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
        with pytest.raises(OSError, match=r"large|space"):
            spool.put(b"too much\n")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    spool.put(b"after\n")
    assert rest(spool) == [b"before", b"after"]


def test_an_end_leaves_no_empty_file(tmp_path: Path):
    spool = Spool(tmp_path / "spool", MUCH)
    spool.put(b"a\n")
    spool.tidy()
    assert rest(spool) == [b"a"]
    spool.tidy()
    assert list((tmp_path / "spool").iterdir()) == []
