"""Signing in with identity providers: a real one from npm on loopback, and ones that lie."""
