"""One lock for all that the bench holds, and what is to happen later under it."""

import heapq
import itertools
import threading
import time


class Clock:
    def __init__(self):
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.queue, self.order, self.over = [], itertools.count(), False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def later(self, seconds, what):
        with self.lock:
            heapq.heappush(self.queue, (time.monotonic() + seconds, next(self.order), what))
            self.changed.notify_all()

    def wait(self, until, seconds):
        """Whether it came to be; others may go on meanwhile."""
        with self.lock:
            return self.changed.wait_for(until, seconds)

    def run(self):
        with self.lock:
            while not self.over:
                pause = self.queue[0][0] - time.monotonic() if self.queue else 1
                if pause > 0:
                    self.changed.wait(min(pause, 1))
                    continue
                heapq.heappop(self.queue)[2]()
                self.changed.notify_all()

    def stop(self):
        with self.lock:
            self.over = True
            self.changed.notify_all()
        self.thread.join()


def stamp(seconds=None):
    """Now, or that moment, as Google writes it."""
    seconds = time.time() if seconds is None else seconds
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    millionths = int(seconds % 1 * 1000000)
    return f"{whole}.{millionths:06d}Z" if millionths else f"{whole}Z"
