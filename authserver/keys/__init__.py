"""Signing keys: where they come from, which one signs, which are published, and how they rest encrypted.

Words: a *key pair* is one key with its schedule (published, signing, retired); the *keyring* is all that are
published now; the *signer* makes JWTs with the one whose turn it is. State comes through a port; this package knows
no SQL and no HTTP.
"""
