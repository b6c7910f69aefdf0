"""Paths as attackers write them: what is told apart only by spelling is taken for the same place."""

from urllib.parse import unquote

MOST_ROUNDS = 5


def same_place(path: str, other: str) -> bool:
    """Whether *path* could mean *other* to some server, whatever its case, slashes, dots, encoding or parameters."""
    return path == other or plainest(path) == plainest(other)


def plainest(path: str) -> str:
    """*path* without all that servers have been seen to ignore."""
    for _ in range(MOST_ROUNDS):
        path, before = unquote(path), path
        if path == before:
            break
    steps: list[str] = []
    for segment in path.replace("\\", "/").casefold().split("/"):
        step = segment.partition(";")[0].strip()
        if step == "..":
            del steps[-1:]
        elif step not in ("", "."):
            steps.append(step)
    return "/" + "/".join(steps)


def plainest_uri(uri: str) -> str:
    """*uri* with its path at its plainest; a trailing slash, which tells a prefix from a name, stays."""
    scheme, colon, rest = uri.partition(":")
    if not colon:
        return plainest(uri)
    slash = "/" if rest.endswith("/") and rest.strip("/") else ""
    return f"{scheme.casefold()}:{plainest(rest)}{slash}"
