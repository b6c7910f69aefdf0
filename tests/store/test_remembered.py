"""Browsers that stay signed in: what many do with one token at one instant, and what ends meanwhile."""

from collections import Counter
from dataclasses import replace

from sqlalchemy import func, select

from authserver.protocol import credential
from authserver.protocol.amr import BY_CODE
from authserver.protocol.audit import Event
from authserver.store.audit import AuditFilter
from authserver.store.letters import blank
from authserver.store.models import LetterRow, SessionRow
from authserver.store.remembered import Copied, Presented
from authserver.store.sessions import Staying
from authserver.store.stores import Stores
from tests.purging import purge

from .crowd import SIZE, Crowd
from .scene import EVENT, Scene, let_pass

LIFETIME, WINDOW, DAY = 600, 60, 86_400
START = "first"
FIRST = credential.digest(START)
COPIED = Event("session.copied", "system", outcome="refused")


def begin(scene: Scene, name: str = "browser") -> bytes:
    """A session whose browser stays; returns what the browser is known by."""
    digest = credential.digest(name)
    scene.stores.sessions.open(
        credential.digest(f"session of {name}"),
        scene.user_id,
        LIFETIME,
        "192.0.2.1",
        EVENT,
        methods=BY_CODE,
        auth_age=100,
        staying=Staying(digest, FIRST, LIFETIME),
    )
    return digest


def present(scene: Scene, digest: bytes, token: str = START) -> int | None:
    """Open a session with that *token* of a browser; the next one is its name with a stroke."""
    following, session = credential.digest(f"{token}'"), credential.digest(f"session by {token}")
    presented = Presented(digest, credential.digest(token), following, session)
    told = Copied(COPIED.about(user_id=scene.user_id), blank("ann@example.com"))
    return scene.stores.remembered.recall(presented, LIFETIME, "192.0.2.2", "Browser", WINDOW, EVENT, told)


def copies(scene: Scene) -> int:
    """How many copies were told of."""
    return len(scene.stores.audit.page(AuditFilter(name="session.copied"), None, 9).lines)


def live(stores: Stores, user_id: str) -> list[bytes]:
    return [line.digest for line in stores.sessions.of_user(user_id, 100)]


def recall(scene: Scene, name: str, number: int) -> str:
    return str(present(scene, credential.digest(name)) is not None)


def recall_or_end(scene: Scene, name: str, number: int) -> str:
    if number % 5:
        return recall(scene, name, number)
    return f"ended {scene.stores.sessions.end_all(scene.user_id, EVENT)}"


def recall_or_copy(scene: Scene, name: str, number: int) -> str:
    token = "first" if number % 2 else "stolen long ago"
    return str(present(scene, credential.digest(name), token) is not None)


def test_of_many_who_present_one_token_at_one_instant_all_come_to_one_session(
    stores: Stores, crowd: Crowd, url: str, scene: Scene
):
    begin(scene)
    assert Counter(crowd.all_do(recall, url, scene, "browser")) == {"True": SIZE}
    assert live(stores, scene.user_id) == [credential.digest("session by first")]
    assert not stores.audit.page(AuditFilter(name="session.copied"), None, 9).lines


def test_nothing_is_open_after_an_end_to_all_however_many_open_sessions_meanwhile(
    stores: Stores, crowd: Crowd, url: str, scene: Scene
):
    begin(scene)
    said = crowd.all_do(recall_or_end, url, scene, "browser")
    assert sum(answer.startswith("ended") for answer in said) == SIZE // 5
    assert live(stores, scene.user_id) == []
    assert stores.remembered.of_user(scene.user_id, 9) == ()


def test_a_copy_among_many_ends_all_and_is_told_once(stores: Stores, crowd: Crowd, url: str, scene: Scene):
    begin(scene)
    crowd.all_do(recall_or_copy, url, scene, "browser")
    assert live(stores, scene.user_id) == []
    assert len(stores.audit.page(AuditFilter(name="session.copied"), None, 9).lines) == 1
    with stores.database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(LetterRow)) == 1


def test_its_session_stems_from_the_sign_in(scene: Scene):
    digest = begin(scene)
    assert present(scene, digest) in range(LIFETIME - 60, LIFETIME + 1)
    found = scene.stores.sessions.find(credential.digest("session by first"))
    assert found is not None
    assert (found.methods, found.recalled) == (BY_CODE, True)
    assert 100 <= found.auth_age <= 160
    assert scene.stores.sessions.find(credential.digest("session of browser")) is None


def test_a_token_that_comes_again_within_the_window_opens_what_it_opened(scene: Scene):
    digest = begin(scene)
    for _ in range(3):
        assert present(scene, digest)
    assert len(live(scene.stores, scene.user_id)) == 1


def test_the_window_is_for_the_last_token_alone(scene: Scene):
    digest = begin(scene)
    assert present(scene, digest)
    assert present(scene, digest, "first'")
    assert present(scene, digest) is None
    assert live(scene.stores, scene.user_id) == []


def test_after_the_window_it_is_a_copy(scene: Scene):
    digest = begin(scene)
    assert present(scene, digest)
    let_pass(scene.stores.database, 100)
    assert present(scene, digest) is None
    assert present(scene, digest, "first'") is None
    assert scene.stores.remembered.person(digest) is None


def test_a_copy_is_found_though_the_browser_stays_no_longer_and_told_once(scene: Scene):
    digest = begin(scene)
    assert present(scene, digest)
    assert scene.stores.remembered.forget(digest, EVENT)
    assert present(scene, digest, "first'") is None, "it was ended, and by whom is not for its token to tell"
    assert present(scene, digest) is None, "within the window it may be the other tab"
    assert not copies(scene)
    let_pass(scene.stores.database, 100)
    for _ in range(3):
        assert present(scene, digest) is None
    assert copies(scene) == 1


def test_a_copy_ends_what_that_browser_opened_and_nothing_else(scene: Scene):
    digest, other = begin(scene), begin(replace(scene), "another browser")
    assert present(scene, digest, "wrong") is None
    assert live(scene.stores, scene.user_id) == [credential.digest("session of another browser")]
    assert present(scene, other)


def test_the_end_of_a_session_is_the_end_of_what_its_browser_has_opened_meanwhile(scene: Scene):
    digest = begin(scene)
    first = credential.digest("session of browser")
    assert present(scene, digest)
    assert not scene.stores.sessions.end(first, EVENT), "the browser has lost it"
    assert scene.stores.sessions.end(credential.digest("session by first"), EVENT)
    assert present(scene, digest, "first'") is None


def test_a_new_secret_of_a_session_leaves_the_old_one_dead(scene: Scene):
    begin(scene)
    old, new = credential.digest("session of browser"), credential.digest("new")
    sessions = scene.stores.sessions
    assert sessions.renew(old, new, EVENT)
    assert sessions.find(old) is None
    found = sessions.find(new)
    assert found is not None
    assert found.auth_age >= 100, "nobody proved anything"
    assert not sessions.renew(old, credential.digest("newer"), EVENT)
    assert sessions.renew(new, credential.digest("newest"), EVENT, BY_CODE)
    proven = sessions.find(credential.digest("newest"))
    assert proven is not None
    assert proven.auth_age < 100


def test_what_has_expired_goes(scene: Scene):
    begin(scene)
    scene.stores.known_browsers.know(b"x" * 32)
    let_pass(scene.stores.database, LIFETIME + DAY)
    assert purge(scene.stores.database)["remembered_browsers"] == 1
    assert scene.stores.known_browsers.knows(b"x" * 32)
    let_pass(scene.stores.database, 400 * DAY)
    assert not scene.stores.known_browsers.knows(b"x" * 32)
    assert purge(scene.stores.database)["known_browsers"] == 1
    with scene.stores.database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(SessionRow)) == 0
