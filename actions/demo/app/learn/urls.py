from django.urls import include, path

from learn.release import health

urlpatterns = [
    path("health", health),
    path("courses/", include("courses.urls")),
    path("enrolment/", include("enrolment.urls")),
    path("payments/", include("payments.urls")),
]
