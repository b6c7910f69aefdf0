"""A Django project of nothing but django-oauth-toolkit, which `make bench` compares with.

It runs in an environment of its own (``requirements.txt``), and knows nothing of the rest of the bench.
"""
