from django.test import TestCase

from courses.models import Course
from enrolment.models import Enrolment


class CatalogueTest(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.algebra = Course.objects.create(
            slug="algebra", title="Algebra", summary="Letters", price_cents=4900, places=2
        )
        Course.objects.create(
            slug="zoology", title="Zoology", summary="Animals", price_cents=3900, places=20
        )

    def listed(self, **query):
        page = self.client.get("/courses/", query)
        return [course.slug for course in page.context["courses"]]

    def test_catalogue_lists_every_course_by_title(self):
        self.assertEqual(self.listed(), ["algebra", "zoology"])
        self.assertContains(self.client.get("/courses/"), "Algebra")

    def test_detail_shows_the_summary(self):
        self.assertContains(self.client.get("/courses/algebra/"), "Letters")

    def test_unknown_course_is_not_found(self):
        self.assertEqual(self.client.get("/courses/alchemy/").status_code, 404)

    def test_a_full_course_says_so(self):
        self.assertContains(self.client.get("/courses/algebra/"), "Open for enrolment")
        for student in ("ada@example.org", "grace@example.org"):
            Enrolment.objects.create(course=self.algebra, student=student)
        self.assertContains(self.client.get("/courses/algebra/"), "No places left")


class ReleaseTest(TestCase):
    def test_health_and_every_response_name_the_release(self):
        with self.settings(RELEASE="r42"):
            self.assertEqual(self.client.get("/health").content, b"r42\n")
            self.assertEqual(self.client.get("/courses/")["X-Release"], "r42")
            self.assertEqual(self.client.get("/nowhere")["X-Release"], "r42")
