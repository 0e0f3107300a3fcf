from django.db import models, transaction

from courses.models import Course


class EnrolmentRefused(Exception):
    """The message says why, in words for the student."""


class Enrolment(models.Model):
    course = models.ForeignKey(Course, on_delete=models.PROTECT)
    student = models.EmailField()
    enrolled_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["course", "student"], name="enrolled_once")]


@transaction.atomic
def enrol(course, student):
    """Give `student` a place on `course`, once; asking again gives the same place."""
    # Writing first makes others wait here, so that the last place is not given away twice.
    Course.objects.filter(pk=course.pk).update(places=models.F("places"))
    enrolment = Enrolment.objects.filter(course=course, student=student).first()
    if enrolment:
        return enrolment
    if course.full:
        raise EnrolmentRefused(f"No places left on {course}")
    return Enrolment.objects.create(course=course, student=student)
