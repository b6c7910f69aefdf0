"""What gives reason to doubt that rules do what was meant."""

from authserver.protocol.policy import reading
from authserver.services.policy.review import Reviewer
from bench.visits import counted
from tests.conformance.site import Site
from tests.policies.conftest import EVENT
from tests.tools.conftest import Docs


def test_names_that_nobody_has_are_told_each(site: Site, docs: Docs) -> None:
    stores = site.deployment.stores
    ada = stores.users.by_name("ada")
    assert ada
    stores.groups.add(ada.id, "reviewers", EVENT)
    here = [f"client:{docs.flow.values['client_id']}", "kind:dynamic", "known:claude"]
    rule = {
        "name": "r",
        "effect": "deny",
        "who": ["user:ada", "user:adda", "group:reviewers", "group:reviwers", "role:admin"],
        "through": [*here, "client:gone", "known:clod"],
    }
    assert [doubt.partition(": chatgpt")[0] for doubt in Reviewer(stores).doubts(reading.read([rule]))] == [
        "r: there is no user 'adda'",
        "r: nobody is in the group 'reviwers'",
        "r: there is no client 'gone'",
        "r: no known client is called 'clod'",
    ]


def test_a_long_file_is_held_against_the_database_in_as_many_questions_as_a_short_one(site: Site) -> None:
    def asked(count: int) -> int:
        who, through = ([f"{kind}:{number}" for number in range(count)] for kind in ("user", "client"))
        rules = reading.read([{"name": "r", "effect": "deny", "who": who, "through": through}])
        site.deployment.stores.resources.all()
        with counted(site.deployment.stores.database) as statements:
            assert len(list(Reviewer(site.deployment.stores).doubts(rules))) == 2 * count
        return len(statements)

    assert asked(500) == asked(1)
