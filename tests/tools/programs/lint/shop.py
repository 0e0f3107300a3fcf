"""Two things that Ruff's and Bandit's rules find: an import that is not used, and eval."""
import os


def price(order):
    return eval(order)
