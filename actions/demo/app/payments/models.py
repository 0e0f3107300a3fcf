from django.db import models

from enrolment.models import Enrolment


class PaymentRefused(Exception):
    """The message says why, in words for the student."""


class Payment(models.Model):
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT)
    amount_cents = models.PositiveIntegerField()
    reference = models.CharField(max_length=40, unique=True)
    paid_at = models.DateTimeField(auto_now_add=True)


def pay(enrolment, amount_cents, reference):
    """Take a payment, once for each `reference`, so that a client may safely send it again."""
    if amount_cents != enrolment.course.price_cents:
        raise PaymentRefused(f"The price of {enrolment.course} is {enrolment.course.price_cents}")
    payment, _ = Payment.objects.get_or_create(
        reference=reference, defaults={"enrolment": enrolment, "amount_cents": amount_cents}
    )
    if payment.enrolment_id != enrolment.pk:
        raise PaymentRefused("This reference belongs to another payment")
    return payment
