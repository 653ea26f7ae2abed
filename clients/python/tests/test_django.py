from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import django
import pytest
from conftest import Named
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["pgtrigger", "pghistory", "django_sqlcommenter", "cdc_audit.django"],
    MIDDLEWARE=["test_django.sign_in", "cdc_audit.django.ActorMiddleware"],
    ROOT_URLCONF="test_django",
    ALLOWED_HOSTS=["*"],
    DATABASES={
        alias: {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": os.environ["PGHOST"],
            "PORT": os.environ["PGPORT"],
            "NAME": os.environ["PGDATABASE"],
            "USER": os.environ["PGUSER"],
            "PASSWORD": os.environ["PGPASSWORD"],
            "OPTIONS": {"server_side_binding": alias == "binding"},
        }
        for alias in ("default", "binding")
    },
)
django.setup()

import pghistory  # noqa: E402
from django.db import DataError, IntegrityError, connections, models, transaction  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.test import AsyncClient, Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.urls import path  # noqa: E402
from django_sqlcommenter import sql_scope  # noqa: E402

from cdc_audit import acting  # noqa: E402

Names = Callable[[], list[Named]]
Rows = Callable[[], list[str]]


class Item(models.Model):
    id = models.TextField(primary_key=True)
    note = models.TextField(null=True)

    class Meta:
        app_label = "tests"
        managed = False
        db_table = 'public"."items'


def sign_in(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """In the place of AuthenticationMiddleware: the user is read from the database when somebody asks."""

    def middleware(request: HttpRequest) -> HttpResponse:
        def name() -> str:
            Item.objects.count()
            return request.headers.get("Authorization", "")

        request.user = SimpleNamespace(get_username=name)  # type: ignore[assignment]
        return get_response(request)

    return middleware


def bare(request: HttpRequest) -> HttpResponse:
    Item.objects.create(id=request.path)
    return HttpResponse()


@transaction.atomic
def late(request: HttpRequest) -> HttpResponse:
    Item.objects.count()
    request.user = SimpleNamespace(get_username=lambda: "late")  # type: ignore[assignment]
    Item.objects.create(id=request.path)
    return HttpResponse()


async def asynchronous(request: HttpRequest, _: str) -> HttpResponse:
    await Item.objects.acreate(id=request.path)
    return HttpResponse()


urlpatterns = [path("bare", bare), path("late", late), path("async/<str:_>", asynchronous)]


@pytest.fixture(params=["default", "binding"])
def alias(request: pytest.FixtureRequest) -> Iterator[str]:
    yield request.param
    connections[request.param].close()


def test_a_request_bears_the_name_of_who_is_signed_in(names: Names) -> None:
    Client(headers={"Authorization": "mia", "X-Request-ID": "r-1"}).post("/bare")
    assert names() == [Named("mia", "r-1")]


def test_a_request_of_nobody_bears_none(names: Names) -> None:
    Client().post("/bare")
    assert names() == [Named("application")]


def test_a_view_may_sign_a_user_in_behind_the_first_statement(names: Names) -> None:
    Client(headers={"Authorization": "early", "X-Request-ID": "r-1"}).post("/late")
    assert names() == [Named("late", "r-1")]


def test_asynchronous_views_keep_their_names(names: Names) -> None:
    async def both() -> None:
        await asyncio.gather(*(one(actor) for actor in ("mia", "noah")))

    async def one(actor: str) -> None:
        headers = {"Authorization": actor, "X-Request-ID": actor}
        await AsyncClient().post(f"/async/{actor}", headers=headers)

    asyncio.run(both())
    assert sorted(names()) == [Named("mia", "mia"), Named("noah", "noah")]


def test_savepoints_isolation_and_locks_keep_the_name(alias: str, names: Names) -> None:
    with acting("mia"), transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        cursor.execute("LOCK TABLE public.items")
        with pytest.raises(ZeroDivisionError), transaction.atomic(using=alias):
            raise ZeroDivisionError
        Item.objects.using(alias).create(id="a")
    assert names() == [Named("mia")]


def test_a_bare_write_is_committed_or_rolled_back_at_once(alias: str, names: Names, rows: Rows) -> None:
    with acting("mia"), connections[alias].cursor() as cursor:
        cursor.execute("INSERT INTO public.items (id) VALUES (%s) RETURNING id", ["a"])
        assert cursor.fetchall() == [("a",)]
        with pytest.raises(IntegrityError):
            Item.objects.using(alias).create(id="a")
        Item.objects.using(alias).filter(id="a").update(note="b")
    assert rows() == ["a"] and [name.actor for name in names()][-1] == "mia"


def test_without_autocommit_each_transaction_bears_its_own_name(alias: str, names: Names) -> None:
    transaction.set_autocommit(False, using=alias)
    for actor in ("mia", "noah", None):
        with acting(actor):
            Item.objects.using(alias).create(id=str(actor))
            transaction.commit(using=alias)
    assert [name.actor for name in names()] == ["mia", "noah", "application"]


def test_what_the_application_counts_as_queries_stays(alias: str, names: Names) -> None:
    with transaction.atomic(using=alias), CaptureQueriesContext(connections[alias]) as queries, acting("mia"):
        Item.objects.using(alias).create(id="a")
    assert len(queries) == 1 and names() == [Named("mia")]


def test_a_bare_write_counts_as_one_query(alias: str, names: Names) -> None:
    with CaptureQueriesContext(connections[alias]) as queries, acting("mia"):
        Item.objects.using(alias).filter(id="a").update(note="b")
        Item.objects.using(alias).bulk_create([Item(id="a")])
    # bulk_create opens a transaction itself.
    assert [query["sql"].split()[0] for query in queries] == ["UPDATE", "BEGIN", "INSERT", "COMMIT"]
    assert names() == [Named("mia"), Named("mia")]


def test_a_bare_write_that_fails_leaves_no_transaction_open(alias: str, names: Names, rows: Rows) -> None:
    with acting("x" * 601), pytest.raises(DataError):
        Item.objects.using(alias).filter(id="a").update(note="b")
    with acting("mia"), connections[alias].cursor() as cursor:
        with pytest.raises(DataError):
            cursor.execute("INSERT INTO public.items (id) SELECT 1 / 0")
        cursor.execute("INSERT INTO public.items (id) VALUES ('a')")
    assert rows() == ["a"] and names() == [Named("mia")]


def test_nobody_takes_the_name_back_and_a_lost_context_leaves_it(alias: str, names: Names) -> None:
    items = Item.objects.using(alias)
    with transaction.atomic(using=alias):
        with acting("mia"):
            items.create(id="a")
        items.create(id="lost")
        with acting(None):
            items.create(id="b")
            items.create(id="c")
    assert names() == [Named("mia"), Named("application")]


def test_nobody_is_asked_who_acts_before_an_isolation_level(alias: str, names: Names) -> None:
    def actor() -> str:
        Item.objects.using(alias).count()
        return "mia"

    with acting(actor), transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        cursor.execute("LOCK TABLE public.items")
        cursor.execute("INSERT INTO public.items (id) VALUES ('a')")
    assert names() == [Named("mia")]


def test_the_announcer_stays_when_another_wrapper_leaves(alias: str, names: Names) -> None:
    def other(execute: Callable[..., Any], *arguments: Any) -> Any:
        return execute(*arguments)

    connections[alias].close()
    with connections[alias].execute_wrapper(other):
        Item.objects.using(alias).count()
    assert other not in connections[alias].execute_wrappers
    with acting("mia"):
        Item.objects.using(alias).create(id="a")
    assert names() == [Named("mia")]


def test_the_trigger_knows_the_name_that_pghistory_sets(names: Names) -> None:
    with pghistory.context(user="mia", url="/orders"):
        Item.objects.create(id="bare")
        with transaction.atomic():
            Item.objects.count()
            Item.objects.create(id="in a transaction")
    Item.objects.create(id="behind it")
    assert names() == [Named("mia"), Named("mia"), Named("application")]


def test_the_trigger_knows_the_name_that_django_sqlcommenter_writes(alias: str, names: Names) -> None:
    for actor in ("mia@shop.example", "o'brien, 100% söhne", "7"):
        with sql_scope(actor=actor, route="orders/*"):
            Item.objects.using(alias).create(id=actor)
    with sql_scope(actor="noah"), connections[alias].cursor() as cursor:
        cursor.execute("INSERT INTO public.items (id) VALUES ('without parameters')")
    Item.objects.using(alias).create(id="behind it")
    assert [name.actor for name in names()] == ["mia@shop.example", "o'brien, 100% söhne", "7", "noah", "application"]
