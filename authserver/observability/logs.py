"""Structured logs: one JSON object a line on standard error, whoever writes it: ours, and libraries by `logging`.

No line has a secret of ours, even where an exception's text has one: what begins as they do is blotted out.
"""

import logging
import re
import sys

import structlog
from structlog.typing import Processor

from ..protocol.credential import Prefix

BLOT = "[left out]"
OURS = re.compile(rf"({'|'.join(Prefix)})[A-Za-z0-9_-]{{20,}}")
SIGNED = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")  # a JWS, whoever signed it
SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)


class LibraryHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes what libraries log."""


def configure(level: str) -> None:
    """Write log lines of *level* (such as ``INFO``) and worse; those of libraries from ``WARNING`` on."""
    structlog.configure(
        processors=[*SHARED, _line],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = LibraryHandler(sys.stderr)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=SHARED, processors=[_library_line]))
    root = logging.getLogger()
    root.handlers = [each for each in root.handlers if not isinstance(each, LibraryHandler)] + [handler]


def without_secrets(line: str) -> str:
    """*line* without the secrets in it that can be told by their looks."""
    return SIGNED.sub(BLOT, OURS.sub(BLOT, line))


def _line(logger: object, method: str, event: structlog.typing.EventDict) -> str:
    rendered = RENDER(logger, method, event)
    return without_secrets(rendered if isinstance(rendered, str) else rendered.decode())


def _library_line(logger: object, method: str, event: structlog.typing.EventDict) -> str:
    event = structlog.stdlib.ProcessorFormatter.remove_processors_meta(logger, method, event)
    return _line(logger, method, event)


RENDER = structlog.processors.JSONRenderer()
