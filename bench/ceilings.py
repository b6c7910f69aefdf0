"""What floods cost those who do not flood: ``python -m bench.ceilings`` prints CPU microseconds of each look per call.

All of it is in memory, so nothing is started; what a whole call takes is in the tables of ``make bench``.
"""

import time
from collections.abc import Callable

from authserver.protocol.audit import Origin
from authserver.store.ceilings import Ceiling
from authserver.web.arriving import come
from authserver.web.lanes import Lane, Turns, lane_of

CALLS = 100_000
ROUNDS = 5
KEYS = [f"family {number}" for number in range(500)]
LINE = b"POST /token HTTP/1.1"
REQUEST = (
    LINE + b"\r\nHost: auth.example\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 200\r\n\r\n"
)
REQUEST += b"x" * 200


def microseconds(look: Callable[[str], object]) -> float:
    """The least CPU time of *look* in some rounds, less what the loop takes."""
    return (_seconds(look) - _seconds(lambda _: None)) / CALLS * 1e6


def _seconds(look: Callable[[str], object]) -> float:
    found = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for number in range(CALLS):
            look(KEYS[number % len(KEYS)])
        found.append(time.process_time() - started)
    return min(found)


def main() -> None:
    """Print the table."""
    ceiling, origin, turns = Ceiling.of("1000000 per second"), Origin("203.0.113.5"), Turns[str](8)

    def takes_turns(who: str) -> None:
        turns.enter(Lane.CALLS, who)
        turns.leave(Lane.CALLS)

    looks: dict[str, Callable[[str], object]] = {
        "count one": ceiling.take,
        "look whether to wait": ceiling.wait,
        "the site of an address (after failures only)": lambda _: origin.site,
        "has it come whole": lambda _: come(REQUEST),
        "its lane": lambda _: lane_of(LINE, "https://auth.example"),
        "its turn": takes_turns,
    }
    for name, look in looks.items():
        print(f"{name:46} {microseconds(look):5.1f} µs")


if __name__ == "__main__":
    main()
