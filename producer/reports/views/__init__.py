"""Views: the content that every report format shows, one module per kind of result."""
