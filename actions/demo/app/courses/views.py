from django.shortcuts import get_object_or_404, render

from courses.models import Course


def catalogue(request):
    return render(request, "courses/catalogue.html", {"courses": Course.objects.all()})


def detail(request, slug):
    return render(request, "courses/detail.html", {"course": get_object_or_404(Course, slug=slug)})
