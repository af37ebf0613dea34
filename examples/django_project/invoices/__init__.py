"""The Django app that renders invoices."""
