"""A key-encryption key in a key management service, reached by a program of the operator's.

The program gets one more argument, ``wrap`` or ``unwrap``. To wrap, it reads a secret as base64 from its standard input
and writes the text that the service made of it, whatever that looks like; to unwrap, it reads such a text and writes
the base64. So a few lines of shell around a service's own command are enough.
"""

import base64
import binascii
import shlex
import subprocess
from dataclasses import dataclass, field
from typing import Literal

from .sealing import SealError

SCHEME = "command:"
PATIENCE = 30  # seconds
MOST = 16_384  # bytes of an answer, and characters of a complaint that are told: a part of it


@dataclass(frozen=True, slots=True)
class CommandKey:
    """A KEK behind the program and arguments ``words``."""

    words: tuple[str, ...] = field(repr=False)

    @classmethod
    def at(cls, configured: str) -> "CommandKey":
        """The key behind a text such as ``command:/usr/local/bin/kms --key 7``. Raises `SealError`."""
        try:
            words = shlex.split(configured.removeprefix(SCHEME))
        except ValueError:
            words = []
        if not words or not words[0].startswith("/"):
            raise SealError("command: must be followed by the path of a program, from the root of the file system")
        return cls(tuple(words))

    @property
    def name(self) -> str:
        """The program; its arguments are nobody's business."""
        return f"command {self.words[0]}"

    def wrap(self, secret: bytes) -> bytes:
        """What the program made of it. Raises `SealError`."""
        return self._answer("wrap", base64.b64encode(secret))

    def unwrap(self, wrapped: bytes) -> bytes:
        """The secret again. Raises `SealError`."""
        try:
            return base64.b64decode(self._answer("unwrap", wrapped), validate=True)
        except binascii.Error:
            raise SealError(f"{self.name} unwrap: its answer is not base64") from None

    def _answer(self, verb: Literal["wrap", "unwrap"], said: bytes) -> bytes:
        try:
            ended = subprocess.run([*self.words, verb], input=said, capture_output=True, timeout=PATIENCE, check=False)  # noqa: S603 - the operator's own
        except (OSError, subprocess.TimeoutExpired) as failed:
            raise SealError(f"{self.name} {verb}: {type(failed).__name__}") from None
        if ended.returncode:
            complaint = " ".join(ended.stderr.decode(errors="replace").split())[:200]
            raise SealError(f"{self.name} {verb} ended with {ended.returncode}: {complaint}")
        answer = ended.stdout.strip()
        if not 0 < len(answer) <= MOST:
            raise SealError(f"{self.name} {verb}: it answered {len(answer)} bytes")
        return answer
