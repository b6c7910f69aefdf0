"""Policy: an administrator's ordered rules on who gets what, through which client, and when (docs/policies.md).

A *rule* has conditions and an effect. Each *item* that a request is about, a scope or a tool, is decided by itself, by
the first rule whose conditions all fit; where none does, it is allowed. A *ruling* is what that leaves of a whole
request. This package knows neither where rules are kept nor how people are told.
"""
