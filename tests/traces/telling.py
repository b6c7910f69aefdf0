"""How a test reads what is told of an attempt."""

import re
from typing import Any

from werkzeug.test import TestResponse

from authserver.services.traces.timeline import Line, Timeline
from authserver.store.traces import Trace, TraceFilter
from tests.conformance.site import Site

# Alone: within a random value, such as a challenge, something may look like one.
REFERENCE = re.compile(r"(?<![\w-])[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}(?![\w-])")


def reference_on(page: TestResponse) -> str:
    """The one reference that *page* shows."""
    (found,) = set(REFERENCE.findall(page.text))
    return found


def told(site: Site, reference: str) -> Timeline:
    """The attempt of *reference*, after all that was recorded has been written."""
    site.deployment.tracing.recorder.flush()
    found = site.deployment.timelines.find(reference)
    assert found is not None, reference
    return found


def of_page(site: Site, page: TestResponse) -> Timeline:
    """The attempt that an error page belongs to."""
    return told(site, reference_on(page))


def of_answer(site: Site, answer: TestResponse) -> Timeline:
    """The attempt that a refusal at the back channel belongs to."""
    assert answer.status_code >= 400, answer.text
    return told(site, answer.headers["X-Correlation-Id"])


def steps(timeline: Timeline) -> list[tuple[str, str]]:
    """Steps and causes, in order."""
    return [(line.step, line.cause) for line in timeline.lines]


def last(timeline: Timeline) -> Line:
    """The last line."""
    return timeline.lines[-1]


def attempts(site: Site, **wanted: Any) -> list[Trace]:
    """The list, after all that was recorded has been written."""
    site.deployment.tracing.recorder.flush()
    return list(site.deployment.stores.traces.page(TraceFilter(**wanted), None, 100))
