"""Reports: renderings of stored results; a report never measures."""
