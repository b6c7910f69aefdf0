"""A TLS 1.3 server that, once it is connected, sends session tickets and never an answer."""

import os
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from .peer import Answer

HANDSHAKE, APPLICATION_DATA = 22, 23
NEW_SESSION_TICKET = 4


def flooding(context: ssl.SSLContext, folder: Path, seconds: float) -> Answer:
    """Sends tickets for so many *seconds*. *context* is changed so that what it sends can be gone on with by hand."""
    keys = folder / "keys.log"
    context.keylog_filename = str(keys)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0

    def answer(stream: socket.socket, _head: bytes) -> None:
        assert isinstance(stream, ssl.SSLSocket)
        assert stream.cipher()[0] == "TLS_AES_256_GCM_SHA384"
        until = time.monotonic() + seconds
        for record in _records(_secret(keys)):
            if time.monotonic() > until:
                return
            _send(stream, record)

    return answer


def _send(stream: socket.socket, record: bytes) -> None:
    while record:
        try:
            record = record[os.write(stream.fileno(), record) :]
        except BlockingIOError:
            continue


def _secret(keys: Path) -> bytes:
    """SSLKEYLOGFILE format: label, client random, secret."""
    lines = [line.split() for line in keys.read_text().splitlines()]
    return bytes.fromhex(next(line[2] for line in reversed(lines) if line[0] == "SERVER_TRAFFIC_SECRET_0"))


def _records(secret: bytes) -> Iterator[bytes]:
    """RFC 8446 §5.2: records of tickets, encrypted under *secret*, from the first after the handshake on."""
    cipher, iv = AESGCM(_expanded(secret, "key", 32)), _expanded(secret, "iv", 12)
    inner = b"".join(_ticket(number) for number in range(60)) + bytes([HANDSHAKE])
    head = struct.pack("!BHH", APPLICATION_DATA, 0x0303, len(inner) + 16)
    for number in range(2**24):
        nonce = (int.from_bytes(iv) ^ number).to_bytes(12)
        yield head + cipher.encrypt(nonce, inner, head)


def _ticket(number: int) -> bytes:
    """RFC 8446 §4.6.1."""
    label = number.to_bytes(200)
    body = struct.pack("!IIB", 7200, number, 8) + number.to_bytes(8) + struct.pack("!H", len(label)) + label + b"\0\0"
    return bytes([NEW_SESSION_TICKET]) + len(body).to_bytes(3) + body


def _expanded(secret: bytes, label: str, length: int) -> bytes:
    """RFC 8446 §7.1: HKDF-Expand-Label with an empty context."""
    name = b"tls13 " + label.encode()
    info = struct.pack("!HB", length, len(name)) + name + b"\0"
    return HKDFExpand(SHA384(), length, info).derive(secret)
