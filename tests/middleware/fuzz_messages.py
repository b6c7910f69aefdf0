"""Atheris on the guard's reader of bodies: ``python -m tests.middleware.fuzz_messages -max_total_time=60 FOLDER``.

The arguments are libFuzzer's. What it finds is a body by which `lax_readers.check` fails, and is left in a file.
"""

import sys

import atheris

with atheris.instrument_imports(include=["mcp_token_guard", "json"]):
    from tests.middleware.lax_readers import check


def main() -> None:
    """Search until the time is over."""
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
