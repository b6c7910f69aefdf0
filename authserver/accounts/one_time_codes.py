"""Codes of authenticator apps (TOTP, RFC 6238): six digits, good for half a minute and a little."""

import re

import pyotp

STEP_SECONDS = 30
SKEW_STEPS = 1  # a clock that is half a minute off, or a person who types slowly (RFC 6238 §5.2)
FORM = re.compile(r"[0-9]{6}")


def new_secret() -> str:
    """A new secret, 160 random bits in base32 (RFC 4226 §4), as people can type it too."""
    return pyotp.random_base32()


def address(secret: str, username: str, site: str) -> str:
    """What an app reads from a picture: an ``otpauth:`` URI that names *site* and *username*."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=site)


def step(secret: str, code: str, at: float) -> int | None:
    """The time step of which *code* is the one, if that is the step of *at* (Unix seconds) or beside it."""
    if not FORM.fullmatch(code):
        return None
    totp, current = pyotp.TOTP(secret), int(at) // STEP_SECONDS
    steps = range(current - SKEW_STEPS, current + SKEW_STEPS + 1)
    return next((each for each in steps if pyotp.utils.strings_equal(totp.generate_otp(each), code)), None)
