"""The race of pools and concurrencies for a user's own Celery task.

``items`` reads what the task is called with, ``app`` asks the user's interpreter about the app,
``shim`` is what runs there. ``worker`` starts a worker of a candidate, ``lap`` measures it,
``course`` decides what is measured next, with ``ladder`` and ``duel``. ``records`` is what a
race leaves behind, ``verdict`` what follows from it. Nothing here prints.
"""
