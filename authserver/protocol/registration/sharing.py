"""Registrations that are the same and may share one client: it is then as one with a metadata document would be (CR-2).

Only public ones: who has a secret shares it with nobody.
"""

import hashlib
import json
from dataclasses import asdict, replace

from .. import redirect_uri
from ..client import AuthMethod
from .metadata import ClientMetadata


def shared(asked: ClientMetadata) -> ClientMetadata:
    """What all who register the same have in common: all but the ports of loopback URIs, which are free anyway."""
    uris = (redirect_uri.without_port(uri) for uri in asked.redirect_uris)
    return replace(asked, redirect_uris=tuple(sorted(set(uris))))


def fingerprint(asked: ClientMetadata) -> bytes | None:
    """The digest by which the same registration is found again; None for a client with a credential of its own."""
    if asked.auth_method is not AuthMethod.NONE:
        return None
    return hashlib.sha256(json.dumps(asdict(shared(asked)), sort_keys=True).encode()).digest()
