"""A part of the loopback network for one bench alone: 127.A.0.1, 127.A.0.2, …

Balancers and tasks have an address each, as they have in a VPC, so that ports can be what the
configuration says. Several benches on one machine take different A.
"""

import itertools
import random
import socket

CLAIM_PORT = 39039
HOSTS = 250


class Addresses:
    def __init__(self):
        self.claim, self.network = self.take()
        self.numbers = itertools.count()

    @staticmethod
    def take():
        """The claim is a socket that is bound for as long as the network is in use."""
        for network in random.sample(range(16, 250), 234):
            claim = socket.socket()
            try:
                claim.bind((f"127.{network}.255.254", CLAIM_PORT))
            except OSError:
                claim.close()
                continue
            return claim, network
        raise OSError("every part of the loopback network is taken")

    def next(self):
        high, low = divmod(next(self.numbers), HOSTS)
        return f"127.{self.network}.{high}.{low + 1}"

    def close(self):
        self.claim.close()
