"""Which clients may come, and how they become known."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from ..protocol.registration.mode import RegistrationMode
from ..protocol.registration.redirect_hosts import RedirectHosts, check_entry
from .group import DAY, Group
from .rate import Ceiling


class Clients(Group):
    """Dynamic registration, metadata documents and software statements."""

    registration: RegistrationMode = RegistrationMode.OPEN
    """Dynamic client registration (RFC 7591): ``open`` to anyone within the ceilings; ``token`` to who has an initial
    access token (``authserver registration-token add``); ``approval``, open to anyone, but a client may do nothing
    before an administrator approves it; or ``closed``."""

    registration_redirect_hosts: list[str] = []
    """Redirect hosts that clients may register, and that people are still sent to: ``claude.ai``, ``*.example.com``
    (hosts below it), ``example.com:8443``, ``localhost`` (all loopback addresses), ``cursor:`` (the scheme of an app).
    Empty allows any. Clients that an administrator registered are not asked."""

    registrations_per_address: Ceiling = "120 per hour"
    """Ceiling of registrations from one address to one set of redirect hosts, for clients on people's own devices
    (loopback, apps): an office may share an address. Here and below each worker process counts for itself where
    there is no ``redis_url``."""

    hosted_registrations_per_address: Ceiling = "1000 per hour"
    """The same for clients all of whose redirect hosts are https: a hosted client registers for each of its users,
    from a few addresses."""

    registration_flood_per_address: Ceiling = "2000 per hour"
    """Ceiling of registrations from one address, and of changes to them, whatever the redirect hosts are."""

    most_unused_registrations: Annotated[int, Field(ge=100)] = 100_000
    """How many registrations that nobody ever used the database holds, all processes together: beyond it no further
    one is taken. From three quarters on the oldest of them go early, though none within its first hour."""

    unused_registration_lifetime: Annotated[int, Field(ge=3600)] = 30 * DAY
    """Seconds after which a dynamic registration that no person ever allowed anything is deleted."""

    idle_registration_lifetime: Annotated[int, Field(ge=0)] = 365 * DAY
    """Seconds after its last authorization at which a dynamic client ends, 0 for never; in any case a day more than
    ``refresh_family_lifetime``, when none of its tokens is left. Its id is known as a deleted one's for a year."""

    share_identical_registrations: bool = False
    """Whether public clients that register the same (but for loopback ports) get the same client id. Such a client
    has no registration access token: it cannot be changed or deleted by whoever registered it."""

    metadata_documents: bool = True
    """Clients may name themselves by the URL of their metadata document (CIMD), which this server then fetches."""

    metadata_document_domains: Literal["any", "ask", "listed"] = "any"
    """Which domains those documents may lie in: ``any``, ``ask`` (an administrator approves each client of a domain
    that was not decided about), or ``listed`` (only domains that ``authserver domain allow`` names)."""

    metadata_document_changes: Literal["apply", "hold"] = "apply"
    """When a document's name, redirect URIs, keys' address or authentication method change: ``apply`` asks people
    again, ``hold`` keeps to the old document until ``authserver document accept``."""

    metadata_document_fetches_per_address: Ceiling = "30 per minute"
    """Ceiling of fetches that requests from one address cause."""

    software_statement_issuers: dict[str, str | dict[str, Any]] = {}
    """Whose software statements are believed (RFC 7591 §2.3): the ``iss`` of each, and its JWK Set, as a file or by
    value. What they say wins over the client's own words. Statements of others are kept and not believed."""

    @field_validator("registration_redirect_hosts")
    @classmethod
    def _redirect_hosts_are_hosts(cls, entries: list[str]) -> list[str]:
        return [check_entry(entry) for entry in entries]

    @property
    def allowed_redirect_hosts(self) -> RedirectHosts:
        """`registration_redirect_hosts` as the policy that it is."""
        return RedirectHosts(tuple(self.registration_redirect_hosts))
