"""Of many who decide about one domain at one instant exactly one does; the others change nothing."""

from authserver.protocol.domain import Decision
from authserver.store.audit import AuditFilter
from authserver.store.stores import Stores

from .crowd import SIZE, Crowd
from .scene import EVENT, Scene

DOMAIN = "vendor.example"


def decide(scene: Scene, seen: str, number: int) -> bool:
    wanted = Decision.ALLOW if number % 2 else Decision.ASK
    return scene.stores.domains.exchange(DOMAIN, Decision(seen) if seen else None, wanted, EVENT)


def forget(scene: Scene, seen: str, number: int) -> bool:
    return scene.stores.domains.exchange(DOMAIN, Decision(seen), None, EVENT)


def test_of_fifty_who_decide_at_one_instant_one_does(crowd: Crowd, url: str, scene: Scene) -> None:
    once = [False] * (SIZE - 1) + [True]
    domains = scene.stores.domains
    assert sorted(crowd.all_do(decide, url, scene, "")) == once
    domains.decide(DOMAIN, Decision.DENY, EVENT)
    assert sorted(crowd.all_do(decide, url, scene, Decision.DENY)) == once
    domains.decide(DOMAIN, Decision.DENY, EVENT)
    assert sorted(crowd.all_do(forget, url, scene, Decision.DENY)) == once
    assert domains.find(DOMAIN) is None


def test_what_is_not_as_it_was_seen_stays_and_is_not_written_down(stores: Stores) -> None:
    stores.domains.decide(DOMAIN, Decision.DENY, EVENT)
    before = stores.audit.page(AuditFilter(), None, 99).lines
    for seen, wanted in ((None, Decision.ALLOW), (Decision.ASK, Decision.ALLOW), (Decision.ASK, None)):
        assert not stores.domains.exchange(DOMAIN, seen, wanted, EVENT)
    assert stores.domains.find(DOMAIN) is Decision.DENY
    assert stores.audit.page(AuditFilter(), None, 99).lines == before
    stores.domains.forget(DOMAIN, EVENT)
