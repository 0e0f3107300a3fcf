"""What an order costs. Its tests leave some of it out on purpose."""


def price(amount, member):
    if amount <= 0:
        raise ValueError("nothing is ordered")
    total = amount * 3
    if member:
        total -= 1
    return total


def refund(amount):
    return -price(amount, False)
