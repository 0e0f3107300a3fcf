"""Twenty requests of one user, five of which the shop refuses."""
import gevent
from locust import HttpUser, constant, task
from locust.exception import StopUser


class Customer(HttpUser):
    wait_time = constant(0)
    sent = 0

    @task
    def order(self):
        self.client.get("/refused" if self.sent % 4 == 3 else "/order")
        self.sent += 1
        if self.sent == 20:
            # Its statistics are written once a second, and not at the end.
            gevent.spawn_later(3, self.environment.runner.quit)
            raise StopUser()
