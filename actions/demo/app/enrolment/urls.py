from django.urls import path

from enrolment import views

urlpatterns = [path("", views.create, name="enrol")]
