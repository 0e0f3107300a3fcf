from django.test import TestCase

from courses.models import Course
from enrolment.models import Enrolment


class EnrolTest(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.course = Course.objects.create(
            slug="botany", title="Botany", summary="Plants", price_cents=2900, places=1
        )

    def enrol(self, student, course="botany"):
        return self.client.post("/enrolment/", {"course": course, "student": student})

    def test_a_student_gets_a_place(self):
        self.assertEqual(self.enrol("ada@example.org").status_code, 201)
        self.assertEqual(Enrolment.objects.get().student, "ada@example.org")

    def test_asking_twice_takes_one_place(self):
        first, second = self.enrol("ada@example.org"), self.enrol("ada@example.org")
        self.assertEqual(first.json(), second.json())
        self.assertEqual(self.course.taken, 1)

    def test_a_full_course_refuses(self):
        self.enrol("ada@example.org")
        refused = self.enrol("grace@example.org")
        self.assertEqual(refused.status_code, 409)
        self.assertIn("No places left", refused.json()["error"])

    def test_a_course_without_a_limit_is_never_full(self):
        Course.objects.update(places=0)
        for student in ("ada@example.org", "grace@example.org"):
            self.assertEqual(self.enrol(student).status_code, 201)

    def test_nonsense_is_refused(self):
        self.assertEqual(self.enrol("nobody").status_code, 400)
        self.assertEqual(self.enrol("ada@example.org", course="alchemy").status_code, 404)
