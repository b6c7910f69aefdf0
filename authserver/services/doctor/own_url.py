"""A running server looks at its own public URL, once, and warns in the log; whatever it finds, it goes on serving."""

import ssl
import threading
from dataclasses import dataclass

import structlog

from ...outbound.deadline import Deadline
from ...outbound.probe import Probe
from .examination import FROM_OUTSIDE, examine_issuer
from .finding import Tell, finding
from .outcome import State

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OwnUrl:
    """Looks at *issuer* as clients see it, *pause* seconds from now, for at most *seconds* in all.

    *tell* raises alerts.
    """

    issuer: str
    trust: ssl.SSLContext
    tell: Tell
    pause: float = 10.0
    seconds: float = 60.0

    def start(self) -> threading.Thread:
        """Look in a daemon thread."""
        thread = threading.Thread(target=self._run, name="own-url", daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        threading.Event().wait(self.pause)  # for the proxy in front to find this server healthy
        try:
            self.look()
        except Exception:
            log.exception("the public URL could not be looked at")

    def look(self) -> None:
        """Write what is not well to the log, and raise an alert of what is wrong."""
        probe = Probe(self.trust, Deadline(self.seconds))
        found = list(examine_issuer(self.issuer, probe, checks=FROM_OUTSIDE))
        for outcome in found:
            if outcome.state is not State.OK:
                log.warning(
                    "the public URL is not well",
                    url=self.issuer,
                    check=outcome.check,
                    what=outcome.what,
                    why=outcome.why,
                    remedy=outcome.remedy,
                )
        self.tell(finding(self.issuer, found))
