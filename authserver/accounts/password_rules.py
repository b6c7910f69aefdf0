"""Which passwords are taken: long ones that nobody tries first (NIST SP 800-63B §3.1.1.2). No rule asks for signs."""

from dataclasses import dataclass

from .passwords import MOST_CHARACTERS

LEAST_CHARACTERS = 12


class PasswordRefused(ValueError):
    """A new password that is not taken; the text says why, for whoever chose it."""


@dataclass(frozen=True, slots=True)
class PasswordRules:
    """What a new password is held against."""

    def check(self, password: str, *about: str) -> None:
        """Raise `PasswordRefused` for one that is not taken; *about* are words that anybody knows of its person."""
        if len(password) < LEAST_CHARACTERS:
            raise PasswordRefused(f"the password must have at least {LEAST_CHARACTERS} characters")
        if len(password) > MOST_CHARACTERS:
            raise PasswordRefused(f"the password can have at most {MOST_CHARACTERS} characters")
