"""Documents that were fetched from others: client metadata and key sets (CR-9)."""

from sqlalchemy.orm import Mapped, mapped_column

from .base import Row, Seconds


class FetchedDocumentRow(Row):
    """What *url* answered last, and until when it counts. A ``pinned`` one was given by an administrator.

    ``leased_until`` lets one process of all nodes fetch while the others wait; ``retry_at`` follows a ``failure``.
    """

    __tablename__ = "fetched_documents"

    url: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[str | None]
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    fetched_at: Mapped[Seconds | None]
    fresh_until: Mapped[Seconds | None]
    failure: Mapped[str | None]
    failed_at: Mapped[Seconds | None]
    retry_at: Mapped[Seconds | None]
    leased_until: Mapped[Seconds | None]
    pinned: Mapped[bool]
