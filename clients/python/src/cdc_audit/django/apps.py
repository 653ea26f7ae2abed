"""Puts the announcer on every PostgreSQL connection of the project."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created

from .announcer import Announcer


def _connected(connection: Any, **_: Any) -> None:
    wrappers = connection.execute_wrappers
    if connection.vendor == "postgresql" and not any(isinstance(wrapper, Announcer) for wrapper in wrappers):
        # In front, because `with connection.execute_wrapper(…)` removes the last one at its end.
        wrappers.insert(0, Announcer())


class CdcAuditConfig(AppConfig):  # type: ignore[misc]  # Django has no types of its own
    """The application ``cdc_audit.django``; it has no models."""

    name = "cdc_audit.django"
    label = "cdc_audit"

    def ready(self) -> None:
        connection_created.connect(_connected, dispatch_uid="cdc_audit")
