"""Codes and a confidential client through the toolkit's models, as its authorization page would leave them."""

import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from oauth2_provider.models import Application, Grant

REDIRECT_URI = "http://127.0.0.1:33418/callback"
SCOPE = "notes:read notes:write"
LIFETIME = timedelta(hours=1)  # the load begins when all codes are made


def codes(request: HttpRequest) -> JsonResponse:
    """Make ``count`` codes for ``resource``, of each of ``clientIds`` in turn."""
    asked = json.loads(request.body)
    clients = [Application.objects.get(client_id=client_id) for client_id in asked["clientIds"]]
    made = [_code(clients[number % len(clients)], asked["resource"]) for number in range(asked["count"])]
    return JsonResponse(made, safe=False)


def introspector(_request: HttpRequest) -> JsonResponse:
    """Make a client that may introspect. Its secret is not hashed: PBKDF2 would be nearly all that a call costs."""
    secret = secrets.token_urlsafe(32)
    client = Application.objects.create(
        name="Bench resource server",
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
        client_secret=secret,
        hash_client_secret=False,
    )
    return JsonResponse({"client_id": client.client_id, "client_secret": secret})


def _code(client: Application, resource: str) -> dict[str, Any]:
    person, _ = User.objects.get_or_create(username=f"person-of-{client.client_id}")
    code, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    Grant.objects.create(
        application=client,
        user=person,
        code=code,
        expires=timezone.now() + LIFETIME,
        redirect_uri=REDIRECT_URI,
        scope=SCOPE,
        code_challenge=_challenge(verifier),
        code_challenge_method="S256",
        resource=[resource],
    )
    return {
        "code": code,
        "client_id": client.client_id,
        "redirect_uri": REDIRECT_URI,
        "verifier": verifier,
        "resource": resource,
    }


def _challenge(verifier: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
