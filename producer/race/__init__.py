"""The race of pools and concurrencies for a user's own Celery task, and the pool map.

``race`` is the entry. ``strategy`` decides what to measure next, with ``base``, ``search`` and
``finals``; its ``requests`` are executed by ``session``, which measures a ``lap`` on a
``worker_group``. A worker, an ``app_process``, runs ``app_shim`` in the environment of the app,
whose ``interpreter`` is searched for, and whose servers ``app_settings`` replaces. ``app_info``
reads facts about the app there, by ``app_probe``; ``publisher`` sends ``items`` through the Redis
of the ``sandbox``. ``no_verdict`` holds the errors of a race in which nothing could be measured.
``pool_map`` measures the map, as ``pool_map_strategy`` decides. Nothing here prints.
"""
