"""The specifications as code.

Values (client, resource, scope, request, token), the rules that judge them, the errors that the wire
may carry, and the ports: what the rules need from a store, in state verbs. Words are the RFCs' words.
This package knows no web framework, no SQL, no HTTP client and no clock of its own: what happens *now*
is decided by the database (times are Unix seconds).
"""
