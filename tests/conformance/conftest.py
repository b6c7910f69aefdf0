from .fixtures import flow, site, site_with, visitor

__all__ = ["flow", "site", "site_with", "visitor"]
