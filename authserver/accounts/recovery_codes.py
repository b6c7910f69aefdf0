"""Recovery codes: what opens an account once whose factor is lost. 120 random bits each, so a digest keeps them."""

import base64
import hashlib
import secrets

CODES = 10
BYTES = 15
GROUP = 4
CHARACTERS = BYTES * 8 // 5


def mint() -> tuple[str, ...]:
    """Ten new ones, in lower case, in groups of four."""
    return tuple(_grouped(base64.b32encode(secrets.token_bytes(BYTES)).decode().lower()) for _ in range(CODES))


def normal(typed: str) -> str | None:
    """What people *typed*, without the spaces and dashes; None if no code looks like it."""
    plain = "".join(each for each in typed.lower() if each not in " -")
    return plain if len(plain) == CHARACTERS and plain.isascii() and plain.isalnum() else None


def digest(user_id: str, code: str) -> bytes:
    """What is kept of a code of a person: 32 bytes, which serve for nobody else."""
    return hashlib.sha256(f"recovery:{user_id}:{normal(code)}".encode()).digest()


def _grouped(code: str) -> str:
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))
