"""pytest runs Django's own test cases; what its plugin would add is not needed for that."""

import os

import django
import pytest
from django.test.runner import DiscoverRunner


def pytest_configure():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "learn.settings")
    django.setup()


@pytest.fixture(scope="session", autouse=True)
def database():
    runner = DiscoverRunner(verbosity=0)
    runner.setup_test_environment()
    created = runner.setup_databases()
    yield
    runner.teardown_databases(created)
    runner.teardown_test_environment()
