"""The passing of time, for documents: what the database would hold by then."""

from sqlalchemy import update

from authserver.store.models import FetchedDocumentRow
from tests.conformance.site import Site

ROW = FetchedDocumentRow


def age(site: Site, seconds: int) -> None:
    """Have all that was fetched be *seconds* older, for every process."""
    changed = update(ROW).values(
        fetched_at=ROW.fetched_at - seconds, fresh_until=ROW.fresh_until - seconds, retry_at=ROW.retry_at - seconds
    )
    fetched = site.deployment.stores.fetched
    with site.deployment.stores.database.transaction() as connection:
        connection.execute(changed)
    fetched.forget()
