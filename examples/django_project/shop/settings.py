"""Settings of Django, and of Celery with the prefix ``CELERY_``."""

import secrets

SECRET_KEY = secrets.token_hex()
INSTALLED_APPS = ["invoices"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
USE_TZ = True

CELERY_BROKER_URL = "amqp://broker.invalid//"
