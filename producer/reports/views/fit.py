"""How well a model fits the measured times, in a few words."""

GOOD_FIT = 0.8
"""R² below which a fit is called poor."""


def fit_quality(r_squared: float | None) -> str:
    """R², and a warning if the fit is poor."""
    if r_squared is None:
        return "no R²: too few numbers to judge the fit"
    if r_squared < GOOD_FIT:
        return f"R² {r_squared:.3f}: a poor fit, raise --repeat"
    return f"R² {r_squared:.3f}"
