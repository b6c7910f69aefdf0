from tests.conformance.fixtures import site

__all__ = ["site"]
