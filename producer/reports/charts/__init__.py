"""Charts of reports: Vega-Lite specifications made by Altair from stored results. Pure."""
