"""Django's ORM over psycopg 3 and its pool; a request goes through the package's middleware."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from types import SimpleNamespace
from typing import Any

import django
import psycopg
from django.conf import settings

from protocol import Step, serve

settings.configure(
    INSTALLED_APPS=["cdc_audit.django"],
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="conformance",
    USE_TZ=True,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": os.environ["PGHOST"],
            "PORT": os.environ["PGPORT"],
            "NAME": os.environ["PGDATABASE"],
            "USER": os.environ["PGUSER"],
            "PASSWORD": os.environ["PGPASSWORD"],
            "DISABLE_SERVER_SIDE_CURSORS": True,
            "OPTIONS": {"pool": {"min_size": 0, "max_size": 1}},
        }
    },
)
django.setup()

from django.db import connection, models, transaction  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.test import RequestFactory  # noqa: E402

from cdc_audit import current  # noqa: E402
from cdc_audit.django import ActorMiddleware  # noqa: E402


class Item(models.Model):
    id = models.TextField(primary_key=True)
    note = models.TextField(null=True)

    class Meta:
        app_label = "conformance"
        managed = False
        db_table = 'public"."items'


class Django:
    driver = f"Django {django.__version__}, psycopg {psycopg.__version__}"
    cannot: dict[str, str] = {}

    def open(self, pool: int) -> None:
        settings.DATABASES["default"]["OPTIONS"]["pool"]["max_size"] = pool

    def close(self) -> None:
        connection.close_pool()

    def request(self, request: Step, do: Callable[[], None]) -> None:
        http = RequestFactory().post("/")
        http.user = SimpleNamespace(get_username=lambda: request["actor"])

        def view(_: HttpRequest) -> HttpResponse:
            act = current()
            assert act is not None
            # The middleware gives a request without an identifier a new one, and knows no context.
            act.request_id, act.context = request.get("request_id"), request.get("context", {})
            do()
            return HttpResponse()

        try:
            ActorMiddleware(view)(http)
        finally:
            connection.close()

    def lost(self, do: Callable[[], None]) -> None:
        # A connection of Django's belongs to its thread, so the thread stays and its context goes.
        Context().run(do)

    @contextmanager
    def transaction(self, read_only: bool, isolation: str | None) -> Iterator[Any]:
        with transaction.atomic():
            # Django has no options of a transaction: this is how its users set them.
            if isolation:
                self.sql(None, f"SET TRANSACTION ISOLATION LEVEL {isolation}")
            if read_only:
                self.sql(None, "SET TRANSACTION READ ONLY")
            yield connection

    @contextmanager
    def savepoint(self, within: Any) -> Iterator[Any]:
        with transaction.atomic():
            yield within

    def insert(self, within: Any, row: str) -> None:
        Item.objects.create(id=row)

    def update(self, within: Any, row: str) -> None:
        Item.objects.filter(id=row).update(note=str(uuid.uuid4()))

    def delete(self, within: Any, row: str) -> None:
        Item.objects.filter(id=row).delete()

    def sql(self, within: Any, text: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(text)

    def read(self, within: Any) -> None:
        Item.objects.count()


def main() -> None:
    serve(Django())
