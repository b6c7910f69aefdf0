"""An OAuth 2.1 authorization server made for the Model Context Protocol.

The packages are layers; imports point down this list and never up:
``cli → app → web → services → accounts → store → (keys | settings | observability) → protocol``.
``docs/architecture.md`` tells why.
"""

__version__ = "0.1.0"
