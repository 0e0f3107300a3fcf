from django.db import models


class Course(models.Model):
    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=100)
    summary = models.TextField()
    price_cents = models.PositiveIntegerField()
    places = models.PositiveIntegerField(help_text="0 = as many as wish to")

    class Meta:
        ordering = ["title"]

    def __str__(self):
        return self.title

    @property
    def taken(self):
        return self.enrolment_set.count()

    @property
    def full(self):
        return self.places > 0 and self.taken >= self.places
