from tests.conformance.fixtures import set_up, site_with

__all__ = ["set_up", "site_with"]
