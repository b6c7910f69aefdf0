"""Which tokens are good, and every way of forging one that the guard must refuse."""

import base64
import hmac
import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mcp_token_guard import Guard, TokenRefused
from mcp_token_guard.verifier import MOST_CHARACTERS, MOST_REMEMBERED, Verifier
from tests.middleware.issuer import RESOURCE, Issuer, es256, rs256

pytestmark = pytest.mark.requirement("RS-1")


def segment(value: bytes | dict[str, Any]) -> str:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    return f"{segment(header)}.{segment(claims)}.{segment(signature)}"


async def refusal(guard: Guard, token: str) -> str:
    with pytest.raises(TokenRefused) as caught:
        await guard.verify(token)
    return caught.value.message


@pytest.mark.parametrize("key", [es256(), rs256()], ids=["ES256", "RS256"])
async def test_a_token_of_either_default_algorithm_is_accepted(guard: Guard, issuer: Issuer, key: Any) -> None:
    caller = await guard.verify(issuer.token(key, scope="notes:read notes:write"))
    assert (caller.subject, caller.client_id, caller.issuer) == ("alice", "a-client", issuer.url)
    assert caller.scopes == {"notes:read", "notes:write"}
    assert caller.resource == RESOURCE
    assert caller.claims["jti"] == "1"


async def test_the_resource_alone_in_a_list_is_the_same_audience(guard: Guard, issuer: Issuer) -> None:
    assert (await guard.verify(issuer.token(aud=[RESOURCE]))).subject == "alice"


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
async def test_every_spelling_of_the_access_token_type_is_accepted(guard: Guard, issuer: Issuer, typ: str) -> None:
    assert (await guard.verify(issuer.token(headers={"typ": typ}))).subject == "alice"


async def test_a_token_without_algorithm_is_refused(guard: Guard, issuer: Issuer) -> None:
    for algorithm in ("none", "None", "NONE", "nOnE"):
        token = unsigned({"alg": algorithm, "typ": "at+jwt", "kid": "es"}, issuer.claims())
        assert "algorithm" in await refusal(guard, token)
        assert "algorithm" in await refusal(guard, token + "c2ln")


@pytest.mark.parametrize("key", [es256(), rs256()], ids=["ES256", "RS256"])
async def test_the_public_key_is_no_shared_secret(guard: Guard, issuer: Issuer, key: Any) -> None:
    public = key.private.public_key()
    secrets = (
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(key.jwk).encode(),
    )
    for secret in secrets:
        head = unsigned({"alg": "HS256", "typ": "at+jwt", "kid": key.kid}, issuer.claims()).rpartition(".")[0]
        token = f"{head}.{segment(hmac.digest(secret, head.encode(), 'sha256'))}"
        assert "algorithm" in await refusal(guard, token)


async def test_a_key_signs_with_its_own_algorithm_only(guard: Guard, issuer: Issuer) -> None:
    token = issuer.token(rs256(), headers={"kid": "es"})
    assert "signature" in await refusal(guard, token)


async def test_a_symmetric_key_in_the_key_set_is_ignored(guard: Guard, issuer: Issuer) -> None:
    issuer.extra_keys = [{"kty": "oct", "kid": "shared", "k": segment(b"s" * 32), "alg": "HS256"}]
    head = unsigned({"alg": "HS256", "typ": "at+jwt", "kid": "shared"}, issuer.claims()).rpartition(".")[0]
    await refusal(guard, f"{head}.{segment(hmac.digest(b's' * 32, head.encode(), 'sha256'))}")
    relabelled = unsigned({"alg": "ES256", "typ": "at+jwt", "kid": "shared"}, issuer.claims()).rpartition(".")[0]
    await refusal(guard, f"{relabelled}.{segment(hmac.digest(b's' * 32, relabelled.encode(), 'sha256'))}")


@pytest.mark.parametrize("typ", ["JWT", "id_token", "logout+jwt", "dpop+jwt", "at+jwt ", "", None, 5, ["at+jwt"]])
async def test_another_kind_of_jwt_is_no_access_token(guard: Guard, issuer: Issuer, typ: object) -> None:
    header = {"alg": "ES256", "kid": "es", "typ": typ}
    await refusal(guard, unsigned(header, issuer.claims(), b"s"))
    if isinstance(typ, str) and typ:
        assert "access token" in await refusal(guard, issuer.token(headers={"typ": typ}))


async def test_an_id_token_is_no_access_token(guard: Guard, issuer: Issuer) -> None:
    token = issuer.token(headers={"typ": "JWT"}, aud="a-client", client_id=None, scope=None, nonce="n")
    assert "access token" in await refusal(guard, token)


@pytest.mark.parametrize(
    "audience",
    [
        "http://localhost:9001",
        "http://localhost:9001/",
        "http://localhost:9001/mcp/",
        "http://localhost:9001/mcp2",
        "http://localhost:9001/MCP",
        "HTTP://localhost:9001/mcp",
        "https://localhost:9001/mcp",
        "http://127.0.0.1:9001/mcp",
        "http://localhost:9001/mcp?",
        "http://localhost:9001/mcp#",
        "a-client",
        "",
        None,
        7,
        [],
        [RESOURCE, "http://localhost:9002/mcp"],
        [RESOURCE, RESOURCE],
        [[RESOURCE]],
        {RESOURCE: True},
    ],
)
async def test_an_audience_that_is_not_exactly_this_resource_is_refused(
    guard: Guard, issuer: Issuer, audience: object
) -> None:
    assert "resource" in await refusal(guard, issuer.token(aud=audience))


async def test_another_issuer_is_refused_even_with_the_right_key(guard: Guard, issuer: Issuer) -> None:
    for other in (issuer.url + "/", issuer.url.upper(), "https://elsewhere.example", None, 1, [issuer.url]):
        assert "issuer" in await refusal(guard, issuer.token(iss=other))


async def test_times_are_checked_with_a_small_leeway(guard: Guard, issuer: Issuer) -> None:
    now = int(time.time())
    assert "expired" in await refusal(guard, issuer.token(exp=now - 60))
    assert "not valid yet" in await refusal(guard, issuer.token(nbf=now + 60))
    assert (await guard.verify(issuer.token(exp=now - 2, nbf=now + 2, iat=now + 2))).subject == "alice"
    assert await guard.verify(issuer.token(exp=now + 900, iat=now + 300)), "the issuer's clock is ahead"


@pytest.mark.parametrize("time_claim", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", ["soon", "1893456000", True, -1, 10**13, 1e300, [], {}, "absent"])
async def test_a_time_that_is_no_time_is_refused(guard: Guard, issuer: Issuer, time_claim: str, value: object) -> None:
    if value == "absent" and time_claim == "nbf":
        assert await guard.verify(issuer.token(nbf=None))
        return
    change: dict[str, Any] = {time_claim: None if value == "absent" else value}
    await refusal(guard, issuer.token(**change))


async def test_numbers_that_are_not_json_are_refused(guard: Guard, issuer: Issuer) -> None:
    for value in (float("nan"), float("inf"), float("-inf")):
        await refusal(guard, issuer.token(exp=value))


@pytest.mark.parametrize("claim", ["sub", "client_id", "scope"])
@pytest.mark.parametrize("value", [1, ["a"], {"a": 1}, True])
async def test_a_claim_of_another_type_is_refused(guard: Guard, issuer: Issuer, claim: str, value: object) -> None:
    change: dict[str, Any] = {claim: value}
    assert claim in await refusal(guard, issuer.token(**change))


async def test_a_token_says_who_calls(guard: Guard, issuer: Issuer) -> None:
    changes: list[dict[str, Any]] = [{"sub": None}, {"sub": ""}, {"client_id": None}, {"client_id": ""}]
    for change in changes:
        assert "who calls" in await refusal(guard, issuer.token(**change))


async def test_a_token_without_scope_opens_nothing(guard: Guard, issuer: Issuer) -> None:
    assert (await guard.verify(issuer.token(scope=None))).scopes == frozenset()


async def test_an_unknown_key_is_refused(guard: Guard, issuer: Issuer) -> None:
    assert "unknown key" in await refusal(guard, issuer.token(es256("stranger")))


async def test_a_strangers_key_under_a_known_name_is_refused(guard: Guard, issuer: Issuer) -> None:
    assert "signature" in await refusal(guard, issuer.token(es256("stranger"), headers={"kid": "es"}))


@pytest.mark.parametrize("parameter", ["jku", "x5u", "jwk", "x5c"])
async def test_where_a_token_says_its_key_is_nobody_looks(guard: Guard, issuer: Issuer, parameter: str) -> None:
    stranger = es256("stranger")
    pointer = {"jwk": stranger.jwk, "x5c": ["MIIB"]}.get(parameter, f"{issuer.url}/attacker/jwks")
    for kid in ("stranger", "es"):
        await refusal(guard, issuer.token(stranger, headers={parameter: pointer, "kid": kid}))
    assert issuer.fetched("/attacker/jwks") == 0


async def test_a_key_name_is_required_and_is_a_string(guard: Guard, issuer: Issuer) -> None:
    await refusal(guard, issuer.token(headers={"kid": None}))
    for kid in (1, ["es"], {"es": 1}, None):
        await refusal(guard, unsigned({"alg": "ES256", "typ": "at+jwt", "kid": kid}, issuer.claims(), b"s" * 64))
    for path in ("../../dev/null", "es' OR '1'='1", "\x00", "es\n"):
        await refusal(guard, issuer.token(es256("stranger"), headers={"kid": path}))


async def test_critical_extensions_and_detached_payloads_are_refused(guard: Guard, issuer: Issuer) -> None:
    extras: list[dict[str, Any]] = [
        {"crit": ["exp"], "exp": 1},
        {"crit": ["http://x"], "http://x": True},
        {"b64": False},
    ]
    for extra in extras:
        assert "signature" in await refusal(guard, issuer.token(headers=extra))


@pytest.mark.parametrize("algorithm", ["ES384", "PS256", "RS512", "EdDSA", "es256", "", None, 5, ["ES256"], {}])
async def test_an_algorithm_outside_the_list_is_refused(guard: Guard, issuer: Issuer, algorithm: object) -> None:
    token = unsigned({"alg": algorithm, "typ": "at+jwt", "kid": "es"}, issuer.claims(), b"s" * 64)
    assert "algorithm" in await refusal(guard, token)


async def test_an_oversized_token_is_refused_before_anything_is_read(guard: Guard, issuer: Issuer) -> None:
    assert "too long" in await refusal(guard, issuer.token(filler="x" * MOST_CHARACTERS))
    assert "too long" in await refusal(guard, "." * (MOST_CHARACTERS + 1))
    assert not issuer.seen


async def test_a_token_of_a_thousand_scopes_is_refused(guard: Guard, issuer: Issuer) -> None:
    many = ["notes:read", *(f"s{number}" for number in range(999))]
    token = issuer.token(scope=" ".join(many))
    assert len(token) < MOST_CHARACTERS
    assert "too many" in await refusal(guard, token)
    assert (await guard.verify(issuer.token(scope=" ".join(many[:256])))).may("notes:read")


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "...", "a.b.c", "....", "é.é.é", "\udcff.a.b", "a" * 500, "W10.e30.c2ln", "bnVsbA.e30.c2ln"],
)
async def test_what_is_no_jwt_is_refused(guard: Guard, token: str) -> None:
    await refusal(guard, token)


async def test_a_header_that_says_one_thing_twice_is_refused(guard: Guard, issuer: Issuer) -> None:
    header = b'{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"es"}'
    assert "not a JWT" in await refusal(guard, f"{segment(header)}.{segment(issuer.claims())}.{segment(b's' * 64)}")


async def test_a_changed_payload_is_refused(guard: Guard, issuer: Issuer) -> None:
    head, _, signature = issuer.token().split(".")
    changed = segment(issuer.claims(scope="notes:read notes:delete"))
    assert "signature" in await refusal(guard, f"{head}.{changed}.{signature}")


async def test_a_weak_rsa_key_is_not_used(guard: Guard, issuer: Issuer) -> None:
    weak = rs256("weak", 1024)
    issuer.keys.append(weak)
    with pytest.warns(match="1024"):
        token = issuer.token(weak)
    assert "unknown key" in await refusal(guard, token)


async def test_a_key_for_encryption_verifies_nothing(guard: Guard, issuer: Issuer) -> None:
    cipher = es256("cipher")
    issuer.extra_keys = [{**cipher.jwk, "use": "enc"}]
    assert "unknown key" in await refusal(guard, issuer.token(cipher))


async def test_a_broader_scope_counts_for_the_narrower(issuer: Issuer) -> None:
    implies = {"notes:admin": ["notes:write"], "notes:write": "notes:read", "notes:read": "notes:admin"}
    guard = Guard(RESOURCE, issuer=issuer.url, scopes="notes:read", implies=implies)
    caller = await guard.verify(issuer.token(scope="notes:admin"))
    assert caller.may("notes:read", "notes:write", "notes:admin")
    assert not caller.may("notes:read", "other")


async def test_a_remembered_token_is_refused_once_it_expires(guard: Guard, issuer: Issuer) -> None:
    now = time.time()
    clock = [now]
    verifier = Verifier(
        guard.verifier._expected,
        guard.verifier._keys,
        guard.verifier._hierarchy,
        guard.verifier._revocations,
        guard.verifier._introspection,
        lambda: clock[0],
    )
    token = issuer.token(exp=int(now) + 60)
    first = await verifier.verify(token)
    assert await verifier.verify(token) is first
    clock[0] = now + 60 + guard.leeway + 1
    for _ in range(2):
        with pytest.raises(TokenRefused, match="expired"):
            await verifier.verify(token)


async def test_the_memory_of_tokens_is_bounded(guard: Guard, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_REMEMBERED <= 100_000
    monkeypatch.setattr("mcp_token_guard.verifier.MOST_REMEMBERED", 3)
    first = issuer.token(jti="0")
    caller = await guard.verify(first)
    for number in range(1, 6):
        await guard.verify(issuer.token(jti=str(number)))
    assert len(guard.verifier._memory.callers) == 3
    assert await guard.verify(first) is not caller
