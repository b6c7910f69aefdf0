"""What others wrote, shown in a terminal."""


def plain(text: str) -> str:
    """*text* without anything that a terminal would obey: escape sequences, line ends, marks of direction."""
    return "".join(character if character.isprintable() else "?" for character in text)
