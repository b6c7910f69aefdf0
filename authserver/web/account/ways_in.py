"""The ways into an account that this deployment has, of which each keeps one."""

from ...store.ways_in import Ways
from ..deployment import deployment


def ways() -> Ways:
    """Providers of the settings; passkeys where people may have one and browsers make them."""
    issuers = [each.home for each in deployment().upstream.upstreams.values()]
    factors = deployment().second_factors
    return Ways(issuers, factors.are_used and factors.passkeys.are_possible)
