"""Says who acts in PostgreSQL's transactions, for an audit log that reads the write-ahead log.

``acting`` opens the scope of one request or job, and ``identify`` names its actor once that is known. The modules
``cdc_audit.sqlalchemy``, ``cdc_audit.django`` and ``cdc_audit.psycopg`` carry the name into each transaction, and
``cdc_audit.asgi`` and ``cdc_audit.celery`` open the scopes.
"""

from ._act import Act, acting, current, identify

__all__ = ["Act", "acting", "current", "identify"]
