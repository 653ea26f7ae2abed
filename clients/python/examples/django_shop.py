"""Django in one file: who signs in stands beside each change in the log.

    python prepare.py
    DATABASE_URL=postgres://shop:shop@127.0.0.1:5432/shop .venv/bin/python examples/django_shop.py runserver --noreload 8000
    curl -X POST -H 'Authorization: Bearer mia' 'http://127.0.0.1:8000/customers?name=Ada'
"""

from __future__ import annotations

import os
import sys
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpRequest, JsonResponse
from django.urls import path

url = urlsplit(os.environ["DATABASE_URL"])
settings.configure(
    INSTALLED_APPS=["cdc_audit.django"],
    MIDDLEWARE=["cdc_audit.django.ActorMiddleware"],
    # Not needed where request.user is who acts.
    CDC_AUDIT_ACTOR=f"{__name__}.signed_in",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": url.hostname,
            "PORT": url.port,
            "NAME": url.path.removeprefix("/"),
            "USER": url.username,
            "PASSWORD": url.password,
        }
    },
)
django.setup()

from django.db import models  # noqa: E402


class Customer(models.Model):
    name = models.TextField()
    email = models.TextField()

    class Meta:
        app_label = "shop"
        managed = False
        db_table = 'shop"."customers'


def signed_in(request: HttpRequest) -> str | None:
    """Stands for your own sign-in: the token is the name."""
    return request.headers.get("Authorization", "").removeprefix("Bearer ") or None


def add_customer(request: HttpRequest) -> JsonResponse:
    name = request.GET["name"]
    Customer.objects.create(name=name, email=f"{name.lower()}@example.com")
    return JsonResponse({"added": name, "by": signed_in(request)})


urlpatterns = [path("customers", add_customer)]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
