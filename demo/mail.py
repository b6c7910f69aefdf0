"""The demo's mail: its server writes it into a folder, and it is shown here, for there is nobody to send it to."""

import textwrap
from email import message_from_bytes
from email.policy import default
from pathlib import Path


class Inbox:
    """The mail that comes into *folder* from now on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen = set(folder.glob("*.eml"))

    def show_new(self) -> None:
        """Print what has come since the last time."""
        for path in sorted(set(self._folder.glob("*.eml")) - self._seen):
            self._seen.add(path)
            print(_words(path), flush=True)


def _words(path: Path) -> str:
    mail = message_from_bytes(path.read_bytes(), policy=default)
    text = textwrap.indent(str(mail.get_content()).rstrip(), "    ")
    return f"\n  Mail to {mail['To']}: {mail['Subject']}   (kept as {path})\n\n{text}"
