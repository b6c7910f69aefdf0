"""The back channel over HTTP: discovery, registration, tokens, revocation, introspection, and what none may break."""
