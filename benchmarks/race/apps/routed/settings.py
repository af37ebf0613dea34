"""Settings in a module: queues with priorities, and a route for each group of tasks."""

from kombu import Exchange, Queue

broker_url = "amqp://broker.invalid//"
task_queues = (
    Queue("default", Exchange("default"), routing_key="default"),
    Queue("pictures", Exchange("media"), routing_key="media.picture",
          queue_arguments={"x-max-priority": 5}),
)  # fmt: skip
task_default_queue = "default"
task_default_exchange_type = "topic"
task_create_missing_queues = False
task_routes = {"tasks.*": {"queue": "pictures", "routing_key": "media.picture", "priority": 3}}
