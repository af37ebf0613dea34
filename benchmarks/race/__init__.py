"""The benchmark of ``producer race``: apps, exhaustive measurements, and races."""
