from tests.conformance.fixtures import flow, set_up, site, site_with, visitor

__all__ = ["flow", "set_up", "site", "site_with", "visitor"]
