"""The local cluster: Redis, Celery workers and Flower as ordinary processes of this user.

``resolve`` finds the cluster that a command talks to, ``lifecycle`` starts and stops a local one,
``state`` describes it and ``status`` tells what runs. ``config_files`` configures Redis and the
supervisor, ``redis_binary`` finds a Redis server.
"""
