"""python driver.py CLIENT: answers the conformance suite with one of the clients of this folder."""

from __future__ import annotations

import importlib
import sys

names = {"sqlalchemy": "sqlalchemy_client", "sqlalchemy-async": "sqlalchemy_async_client",
         "django": "django_client", "psycopg": "psycopg_client", "psycopg-async": "psycopg_async_client"}

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in names:
        sys.exit(f"Usage: driver.py {'|'.join(names)}")
    importlib.import_module(names[sys.argv[1]]).main()
