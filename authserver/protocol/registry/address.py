"""Addresses as people should read them: which part of a host says whose it is.

A guess from its shape, without the Public Suffix List: the last two labels, three under registries such as ``co.uk``
and under hosts that give names away. It is only for emphasis; nothing is decided by it.
"""

import re

REGISTRIES = frozenset({"ac", "co", "com", "edu", "go", "gob", "gov", "gouv", "mil", "ne", "net", "nom", "or", "org"})
SHARED = frozenset(
    {
        "azurewebsites.net", "cloudfront.net", "duckdns.org", "firebaseapp.com", "fly.dev", "github.io", "gitlab.io",
        "herokuapp.com", "loca.lt", "netlify.app", "ngrok-free.app", "ngrok-free.dev", "ngrok.app", "ngrok.io",
        "onrender.com", "pages.dev", "railway.app", "replit.app", "run.app", "surge.sh", "trycloudflare.com",
        "ts.net", "vercel.app", "web.app", "workers.dev",
    }
)  # fmt: skip
DOMAIN = re.compile(r"(?=.*[^\d.])[^/:\[\]]+")


def split(host: str) -> tuple[str, str]:
    """*host* in two: what its owner chose freely, with the dot at its end (may be empty), and what names the owner."""
    labels = host.rstrip(".").split(".")
    if not DOMAIN.fullmatch(host) or len(labels) < 3:
        return "", host
    under_registry = len(labels[-1]) == 2 and labels[-2] in REGISTRIES
    kept = 3 if under_registry or ".".join(labels[-2:]) in SHARED else 2
    owner = ".".join(labels[-kept:]) + host[len(host.rstrip(".")) :]
    return host.removesuffix(owner), owner
