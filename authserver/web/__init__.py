"""HTTP: the only package that speaks it. The back channel for programs, Flask pages for people.

A view parses its request into values, calls a service, and writes the answer; it decides nothing itself.
"""
