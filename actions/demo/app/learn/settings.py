"""Settings. What differs from host to host comes from the environment."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

# `RELEASE` stands in every deployed directory and names the code that it holds.
RELEASE_FILE = BASE_DIR / "RELEASE"
RELEASE = RELEASE_FILE.read_text().strip() if RELEASE_FILE.exists() else "unreleased"

# There are no sessions and no signed cookies, so nothing is protected by this key.
SECRET_KEY = "only-for-the-demo"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]

INSTALLED_APPS = ["courses", "enrolment", "payments"]
MIDDLEWARE = ["learn.release.name_release", "django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "learn.urls"
WSGI_APPLICATION = "learn.wsgi.application"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("LEARN_DATABASE", BASE_DIR / "db.sqlite3"),
        "CONN_MAX_AGE": 60,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = True
