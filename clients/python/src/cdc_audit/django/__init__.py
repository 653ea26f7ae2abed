"""Announces who acts in Django's transactions, with a middleware that takes the name from the request.

    INSTALLED_APPS = [..., "cdc_audit.django"]
    MIDDLEWARE = [..., "cdc_audit.django.ActorMiddleware"]  # behind AuthenticationMiddleware

The setting ``CDC_AUDIT_ACTOR`` may name a function of your own, as a dotted path: it takes the request and returns who
acts, or ``None``. Without it, the user name of ``request.user`` counts.
"""

from .middleware import ActorMiddleware

__all__ = ["ActorMiddleware"]
