"""Policy rules, and the groups of people that they speak of."""

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Row, Seconds


class PolicyHeadRow(Row):
    """The one row that tells which version of the rules is in force.

    ``people`` grows whenever somebody gets or loses a group or a role of weight, so that processes look again.
    """

    __tablename__ = "policy_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]
    people: Mapped[int] = mapped_column(BigInteger)


class PolicyVersionRow(Row):
    """All rules of one version, in order (`protocol.policy.reading`); never changed. ``actor`` applied it."""

    __tablename__ = "policy_versions"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rules: Mapped[list[Any]] = mapped_column(JSON)
    applied_at: Mapped[Seconds]
    actor: Mapped[str]


class GroupMemberRow(Row):
    """That a person is in a group."""

    __tablename__ = "group_members"
    __table_args__ = (Index(None, "name"),)

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
