#!/usr/bin/env bash
# django-auditlog 3.4.1 and django-simple-history 3.13.0, Django 5.2.19, SQLite.
# item.stock = F("stock") - 1 is Django's own advice for counters. django-auditlog then logs the text of the expression as
# the new value: "F(stock) - Value(1)". django-simple-history raises while it writes its history row, after the change
# itself was saved: with Django's default of autocommit the change stays and has no history.
# Why it matters: these are the peers that a log from the database replaces. Their history cannot be read as the values
# that the table held, least of all for the columns that are counted up and down.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
cd "$dir"
python3 -m venv venv || exit 2
venv/bin/pip install --quiet --disable-pip-version-check \
  Django==5.2.19 django-auditlog==3.4.1 django-simple-history==3.13.0 || exit 2

cat >finding.py <<'EOF'
import sys
import django
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "auditlog", "simple_history"],
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    USE_TZ=True,
)
django.setup()

from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.core.management import call_command
from django.db import connection, models
from simple_history.models import HistoricalRecords


class Item(models.Model):
    stock = models.IntegerField()

    class Meta:
        app_label = "auth"


class Part(models.Model):
    stock = models.IntegerField()
    history = HistoricalRecords(app="auth")

    class Meta:
        app_label = "auth"


auditlog.register(Item)
call_command("migrate", verbosity=0)
with connection.schema_editor() as editor:
    for model in (Item, Part, Part.history.model):
        editor.create_model(model)

item = Item.objects.create(stock=10)
item.stock = models.F("stock") - 1
item.save()
logged = LogEntry.objects.get_for_object(item).first().changes["stock"]
print("django-auditlog: table", Item.objects.get().stock, "log", logged)

part = Part.objects.create(stock=10)
part.stock = models.F("stock") - 1
try:
    part.save()
    error = None
except ValueError as raised:
    error = raised
stock, history = Part.objects.get().stock, [row.stock for row in Part.history.order_by("history_id")]
print("django-simple-history: table", stock, "history", history, "error", error)

holds = logged == ["10", "F(stock) - Value(1)"] and error is not None and stock == 9 and history == [10]
print("The surprise holds." if holds else "This has changed.")
sys.exit(0 if holds else 1)
EOF
code=0
venv/bin/python finding.py 2>stderr || code=$?
if [ "$code" != 0 ] && grep -q Traceback stderr; then
  cat stderr
  exit 2
fi
exit "$code"
