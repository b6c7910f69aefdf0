"""Signing in at another's: this server as a client of OpenID Connect providers (OpenID Connect Core 1.0).

Words: an *upstream* is an identity provider that the operator trusts to say who somebody is; its *provider metadata* is
what it publishes of itself; an *attempt* is one round trip of one browser, and an *identity* what came of it: who the
upstream says that this is. Nothing here fetches, and nothing here knows which account an identity opens.
"""
