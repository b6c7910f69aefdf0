"""Signing in without HTTP: passwords, delays and sessions over a real database."""
