"""``authserver domain``: which domains the metadata documents of clients may lie in."""

import click

from ..protocol.audit import Event
from ..protocol.domain import Decision, domain_of
from ..services.deployment import Deployment
from .deployment import with_deployment
from .table import as_objects, show


@click.group()
def domain() -> None:
    """Domains of clients that name themselves by a URL; a decision counts for all below the domain."""


def _deciding(decision: Decision, words: str) -> None:
    @domain.command(decision.value, help=words)
    @click.argument("name")
    @with_deployment
    def decide(found: Deployment, name: str) -> None:
        found.stores.domains.decide(_domain(name), decision, _event("domain.decided", name, decision))
        click.echo(f"{decision}: {_domain(name)}")


_deciding(Decision.ALLOW, "Vouch for the clients of a domain: people see them as verified.")
_deciding(Decision.ASK, "Have each new client of a domain wait for approval.")
_deciding(Decision.DENY, "Refuse the clients of a domain; what they were granted stays until it is revoked.")


@domain.command("forget")
@click.argument("name")
@with_deployment
def forget(found: Deployment, name: str) -> None:
    """Take the decision for a domain back."""
    if not found.stores.domains.forget(_domain(name), _event("domain.forgotten", name)):
        raise click.ClickException(f"nothing was decided for {name}")
    click.echo(f"forgot {_domain(name)}")


@domain.command("list")
@as_objects
@with_deployment
def list_domains(found: Deployment, as_json: bool) -> None:
    """Show what was decided."""
    decided = sorted(found.stores.domains.all().items())
    show(decided, ("decision", "domain"), lambda one: (one[1], one[0]), _facts, as_json=as_json)


def _facts(one: tuple[str, Decision]) -> dict[str, str]:
    return {"domain": one[0], "decision": one[1]}


def _domain(name: str) -> str:
    found = domain_of(name)
    if found is None:
        raise click.BadParameter(f"{name!r} is not a domain such as example.com")
    return found


def _event(event: str, name: str, decision: Decision | None = None) -> Event:
    return Event(event, "system", detail={"domain": _domain(name), **({"decision": decision} if decision else {})})
