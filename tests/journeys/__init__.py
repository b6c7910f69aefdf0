"""Journeys: real clients, a real browser and real servers, from the first 401 to a revoked grant.

Words: a *client* is a program of its own (``clients/``, ``typescript/``) that speaks to the test in lines of JSON; the
*person* is Chromium, doing what someone would do; the *stage* is the servers of one test process.
"""
