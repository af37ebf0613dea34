"""A task that needs the Flask application, and waits as for a mail server."""

import time

from celery import shared_task
from flask import current_app, render_template_string


@shared_task
def greet(name: str) -> str:
    """Render a greeting with the configuration of the application, and deliver it."""
    text = render_template_string("{{ greeting }} {{ name }},", greeting=greeting(), name=name)
    time.sleep(0.05)
    return text


def greeting() -> str:
    """The configured first word of a letter."""
    word: str = current_app.config["GREETING"]
    return word
