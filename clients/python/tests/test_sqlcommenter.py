"""The name that OpenTelemetry writes into comments, which the actor trigger reads without a line of ours."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from conftest import Named
from opentelemetry import context
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.sdk.trace import TracerProvider

Names = Callable[[], list[Named]]


@contextmanager
def tagged(actor: object) -> Iterator[None]:
    """As the instrumentations of Flask and Django hand on their tags."""
    token = context.attach(context.set_value("SQLCOMMENTER_ORM_TAGS_AND_VALUES", {"actor": actor, "route": "/orders/*"}))
    try:
        yield
    finally:
        context.detach(token)


@pytest.mark.parametrize("actor", ["mia@shop.example", "o'brien, 100% /a* söhne", 7])
def test_the_trigger_knows_the_name_that_opentelemetry_writes_for_psycopg(actor: object, names: Names) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as plain:
        connection = PsycopgInstrumentor.instrument_connection(plain, tracer_provider=TracerProvider(), enable_commenter=True)
        with tagged(actor):
            connection.cursor().execute("INSERT INTO public.items (id) VALUES (%s)", ("a",))
            # The driver leaves each % doubled here.
            connection.cursor().execute("INSERT INTO public.items (id) VALUES ('b');")
        connection.cursor().execute("INSERT INTO public.items (id) VALUES ('c')")
    assert [name.actor for name in names()] == [str(actor), str(actor), "application"]
