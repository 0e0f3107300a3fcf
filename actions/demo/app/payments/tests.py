from django.test import TestCase

from courses.models import Course
from enrolment.models import enrol
from payments.models import Payment


class PayTest(TestCase):
    @classmethod
    def setUpTestData(cls):
        course = Course.objects.create(
            slug="latin", title="Latin", summary="Cases", price_cents=1900, places=9
        )
        cls.enrolment = enrol(course, "ada@example.org")

    def pay(self, **changes):
        form = {"enrolment": self.enrolment.pk, "amount_cents": 1900, "reference": "r-1"}
        return self.client.post("/payments/", {**form, **changes})

    def test_the_price_is_taken(self):
        self.assertEqual(self.pay().status_code, 201)
        self.assertEqual(Payment.objects.get().amount_cents, 1900)

    def test_sending_it_again_pays_once(self):
        self.assertEqual(self.pay().json(), self.pay().json())
        self.assertEqual(Payment.objects.count(), 1)

    def test_a_reference_is_for_one_payment(self):
        self.pay()
        grace = enrol(self.enrolment.course, "grace@example.org")
        self.assertEqual(self.pay(enrolment=grace.pk).status_code, 402)

    def test_another_amount_is_refused(self):
        self.assertEqual(self.pay(amount_cents=1899).status_code, 402)
        self.assertEqual(Payment.objects.count(), 0)

    def test_nonsense_is_refused(self):
        self.assertEqual(self.pay(amount_cents="much").status_code, 400)
        self.assertEqual(self.pay(enrolment=99).status_code, 404)
