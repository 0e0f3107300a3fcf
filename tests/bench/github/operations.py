"""Which method answers which operation of GitHub's description, and with what right.

    class Comments(Part):
        @operation("issues/create-comment", issues="write")
        def create(self, call):
            return 201, {...}

A method returns a status and a tree; a list is given page by page, and (NAME, list) as GitHub's
{"total_count": N, NAME: [...]}. The trees are those that the bench keeps: nobody changes them
after that but the bench itself.
"""


def operation(*names, **needs):
    """`needs` are the permissions of which a token must have one: issues="write"."""

    def mark(method):
        method.operations, method.needs = names, needs
        return method

    return mark


class Part:
    """One subject of the API, over the world that all share."""

    def __init__(self, bench):
        self.bench, self.world, self.make = bench, bench.world, bench.make

    @classmethod
    def handled(cls):
        for word in dir(cls):
            method = getattr(cls, word)
            for name in getattr(method, "operations", ()):
                yield name, word

    def answers(self):
        return {name: getattr(self, word) for name, word in self.handled()}
