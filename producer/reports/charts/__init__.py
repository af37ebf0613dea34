"""The charts of reports: Vega-Lite specifications made with Altair."""
