"""CPU-bound in pure Python: Django's templates. Processes win."""

from celery import shared_task
from django.template.loader import render_to_string


@shared_task
def render(number: int, lines: int) -> int:
    """How long the text of an invoice with so many lines is."""
    goods = [{"name": f"article {n}", "count": n % 7 + 1, "price": n * 1.25} for n in range(lines)]
    return len(render_to_string("invoices/invoice.txt", {"number": number, "goods": goods}))
