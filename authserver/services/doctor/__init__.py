"""The doctor: looks at a deployment from outside, as clients would, and says what is wrong and what to do (DI-8).

A *visit* is all that was seen of one issuer or MCP server; a *check* looks at one thing of it and gives an *outcome*:
good, a warning, or a fault, with its cause and remedy in plain words. It must not know the deployment's settings or
database: what it says is what anyone would see.
"""
