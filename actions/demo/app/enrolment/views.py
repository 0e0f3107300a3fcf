from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from courses.models import Course
from enrolment.models import EnrolmentRefused, enrol


@require_POST
def create(request):
    student = request.POST.get("student", "")
    try:
        validate_email(student)
    except ValidationError:
        return JsonResponse({"error": "An e-mail address is needed"}, status=400)
    course = get_object_or_404(Course, slug=request.POST.get("course", ""))
    try:
        enrolment = enrol(course, student)
    except EnrolmentRefused as refused:
        return JsonResponse({"error": str(refused)}, status=409)
    return JsonResponse({"enrolment": enrolment.pk}, status=201)
