from django.db import models, transaction

from enrolment.models import Enrolment


class PaymentRefused(Exception):
    """The message says why, in words for the student."""


class Payment(models.Model):
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT)
    amount_cents = models.PositiveIntegerField()
    reference = models.CharField(max_length=40, unique=True)
    paid_at = models.DateTimeField(auto_now_add=True)


@transaction.atomic
def pay(enrolment, amount_cents, reference):
    """Take a payment, once for each `reference`, so that a client may safely send it again."""
    payment = Payment.objects.filter(reference=reference).first()
    if payment:
        if payment.enrolment_id != enrolment.pk or payment.amount_cents != amount_cents:
            raise PaymentRefused("This reference belongs to another payment")
        return payment
    if amount_cents != enrolment.course.price_cents:
        raise PaymentRefused(f"The price of {enrolment.course} is {enrolment.course.price_cents}")
    return Payment.objects.create(
        enrolment=enrolment, amount_cents=amount_cents, reference=reference
    )
