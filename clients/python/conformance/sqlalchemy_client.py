"""SQLAlchemy's ORM over psycopg. A bare statement is one in AUTOCOMMIT: every other has a transaction."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy
from sqlalchemy import create_engine, delete, func, insert, select, text, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from cdc_audit.sqlalchemy import announce_actors
from protocol import Threaded, serve


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    __table_args__ = {"schema": "public"}
    id: Mapped[str] = mapped_column(primary_key=True)
    note: Mapped[str | None]


def transaction_options(read_only: bool, isolation: str | None) -> dict[str, Any]:
    options: dict[str, Any] = {"postgresql_readonly": True} if read_only else {}
    return {**options, "isolation_level": isolation.upper()} if isolation else options


class SqlAlchemy(Threaded):
    driver = f"SQLAlchemy {sqlalchemy.__version__}, psycopg {psycopg.__version__}"
    cannot: dict[str, str] = {}

    def open(self, pool: int) -> None:
        pooled = {"prepare_threshold": None} if os.environ.get("ACTORS_POOLER") else {}
        url = os.environ["DATABASE_URL"].replace("postgres://", "postgresql+psycopg://")
        self.engine = create_engine(url, pool_size=pool, max_overflow=0, connect_args=pooled)
        announce_actors(self.engine)
        self.bare = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def transaction(self, read_only: bool, isolation: str | None) -> Iterator[Session]:
        with Session(self.engine) as session, session.begin():
            if options := transaction_options(read_only, isolation):
                session.connection(execution_options=options)
            yield session

    @contextmanager
    def savepoint(self, within: Session) -> Iterator[Session]:
        with within.begin_nested():
            yield within

    @contextmanager
    def _session(self, within: Session | None) -> Iterator[Session]:
        if within is not None:
            yield within
            return
        with Session(self.bare) as session:
            yield session

    def insert(self, within: Session | None, row: str) -> None:
        with self._session(within) as session:
            if within is None:
                session.execute(insert(Item).values(id=row))
            else:
                session.add(Item(id=row))
                session.flush()

    def update(self, within: Session | None, row: str) -> None:
        with self._session(within) as session:
            session.execute(update(Item).where(Item.id == row).values(note=func.gen_random_uuid().cast(sqlalchemy.Text)))

    def delete(self, within: Session | None, row: str) -> None:
        with self._session(within) as session:
            session.execute(delete(Item).where(Item.id == row))

    def sql(self, within: Session | None, text_: str) -> None:
        with self._session(within) as session:
            session.execute(text(text_.replace(":", r"\:")))

    def read(self, within: Session | None) -> None:
        with self._session(within) as session:
            session.scalar(select(func.count()).select_from(Item))


def main() -> None:
    serve(SqlAlchemy())
