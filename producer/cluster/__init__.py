"""The local cluster: Redis, Celery workers and Flower as ordinary processes of this user.

``local`` starts and stops it, ``files`` writes what it is configured with, ``server`` finds a
Redis, ``guard`` and ``tether`` see to it that nothing outlives its owner.
"""
