from tests.conformance.fixtures import flow, set_up, site, site_with, visitor
from tests.documents.conftest import authority

__all__ = ["authority", "flow", "set_up", "site", "site_with", "visitor"]
