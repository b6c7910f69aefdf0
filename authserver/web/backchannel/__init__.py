"""The back channel: what programs call, as a small WSGI application beside Flask.

Token, revocation, introspection, registration, metadata, JWKS and health. No session, no cookie, no template: a
request is parsed once into a `Request`, handled by a service, and answered as JSON with the CORS headers that
browser clients need (DI-7). It must not know of people or pages.
"""
