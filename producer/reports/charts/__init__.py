"""Charts as Vega-Lite specs, made by Altair from stored results. Pure."""
