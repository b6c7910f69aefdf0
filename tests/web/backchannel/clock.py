"""Time passes for rows, so that no test waits."""

from sqlalchemy import text

from tests.conformance.site import Site


def passes(site: Site, table: str, column: str, seconds: int, **where: object) -> None:
    """Move *column* of the rows of *table* that match *where* into the past by *seconds*."""
    condition = " AND ".join(f"{name} = :{name}" for name in where)
    statement = text(f"UPDATE {table} SET {column} = {column} - {seconds} WHERE {condition}")  # noqa: S608
    with site.deployment.stores.database.transaction() as connection:
        assert connection.execute(statement, where).rowcount
