"""Signing in with an identity provider that the operator entered: sent there, fetched, judged, and an account opened.

One way for OpenID providers and one for GitHub give an identity; what becomes of it is decided in ``accounts``. It must
not know pages: it is handed what a browser brought, and hands out where to send it or who it is.
"""
