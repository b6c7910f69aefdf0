"""This server's own API among the resources: there from the moment when an administrator enables it (EX-1)."""

from collections.abc import Mapping
from dataclasses import replace

from ..protocol import own_api
from ..protocol.audit import Event
from ..protocol.resource import Resource, identified
from ..protocol.role import READING, Permission
from ..protocol.scope import Risk, Scope
from ..store.resources import ResourceStore

NAME = "Administration of this server"


def enable(resources: ResourceStore, issuer: str, words: Mapping[Permission, str], event: Event) -> bool:
    """Register the API, or bring its scopes up to date; *words* say what each does. False if all is as it should be."""
    wanted = Resource(own_api.identifier(issuer), NAME, tuple(_scope(each, words[each]) for each in Permission))
    found = identified(resources.all(), wanted.identifier)
    if found is None:
        resources.add(wanted, event)
    elif found.scopes != wanted.scopes:
        resources.replace(replace(found, scopes=wanted.scopes), event)
    else:
        return False
    return True


def _scope(permission: Permission, words: str) -> Scope:
    return Scope(own_api.scope_of(permission), words, Risk.READ if permission in READING else Risk.DESTRUCTIVE)
