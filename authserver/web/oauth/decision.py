"""What a person decided on the consent page."""

from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from ...protocol.scope import MOST_SCOPES


@dataclass(frozen=True, slots=True)
class Decision:
    """The form: whether to allow, which scopes were ticked, and the digest of the proposal that was shown."""

    allows: bool
    ticked: frozenset[str]
    shown: str

    @classmethod
    def parse(cls, form: MultiDict[str, str]) -> "Decision":
        """Read the form; anything but a clear yes is a no."""
        return cls(
            allows=form.get("decision") == "allow",
            ticked=frozenset(form.getlist("scope")[:MOST_SCOPES]),
            shown=form.get("shown", ""),
        )
