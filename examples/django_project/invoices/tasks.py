"""A CPU-bound task in pure Python, Django's templates: processes are fastest."""

from celery import shared_task
from django.template.loader import render_to_string


@shared_task
def render(number: int, lines: int) -> int:
    """Render an invoice with ``lines`` lines; returns the length of its text."""
    goods = [{"name": f"article {n}", "count": n % 7 + 1, "price": n * 1.25} for n in range(lines)]
    return len(render_to_string("invoices/invoice.txt", {"number": number, "goods": goods}))
