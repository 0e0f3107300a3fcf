"""One of each result that pytest knows: the failure and the error are meant."""
import pytest

from prices import price


@pytest.fixture
def broken_till():
    raise RuntimeError("the till does not open")


def test_a_member_pays_less():
    assert price(2, True) == 5


def test_nothing_cannot_be_ordered():
    with pytest.raises(ValueError):
        price(0, True)


def test_that_fails():
    assert price(2, True) == 6, "<a> & \"b\" \u2014 as markup must not be taken"


@pytest.mark.skip(reason="not sold yet")
def test_that_is_skipped():
    assert False


@pytest.mark.xfail(reason="known")
def test_that_is_known_to_fail():
    assert price(2, True) == 7


def test_with_an_error(broken_till):
    assert broken_till
