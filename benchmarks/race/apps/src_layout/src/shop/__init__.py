"""A project with a src layout."""
