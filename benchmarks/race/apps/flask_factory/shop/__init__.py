"""A Flask application with a factory, set up with Celery as Flask's documentation shows."""

from celery import Celery, Task
from flask import Flask


def create_app() -> Flask:
    """Create the application, and its Celery app in ``extensions["celery"]``."""
    app = Flask(__name__)
    app.config.from_mapping(
        CELERY={"broker_url": "amqp://broker.invalid//", "task_ignore_result": True},
        GREETING="Dear",
    )
    celery_init_app(app)
    return app


def celery_init_app(app: Flask) -> Celery:
    """Create a Celery app whose tasks run in the context of the Flask application."""

    class FlaskTask(Task):
        def __call__(self, *args: object, **kwargs: object) -> object:
            with app.app_context():
                return self.run(*args, **kwargs)

    celery_app = Celery(app.name, task_cls=FlaskTask)
    celery_app.config_from_object(app.config["CELERY"])
    celery_app.set_default()
    app.extensions["celery"] = celery_app
    return celery_app
