"""Clients on the Python SDK: programs of their own, which know nothing of the tests."""
