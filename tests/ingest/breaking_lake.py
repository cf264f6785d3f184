"""A lake that breaks where it is told to, as a process that is killed there."""

WRITES = ("append", "upsert", "replace_partitions", "rewrite")


class BrokenError(Exception):
    """The point that was asked for."""


class BreakingLake:
    """A lake whose writes go wrong at one point: before the write, or after it was committed."""

    def __init__(self, lake, at, after, counted=WRITES):
        self._lake, self._at, self._after, self.writes, self._counted = lake, at, after, 0, counted

    def __getattr__(self, name):
        method = getattr(self._lake, name)
        return self._breaking(method) if name in self._counted else method

    def _breaking(self, method):
        def call(*args, **kwargs):
            self.writes += 1
            due = self.writes == self._at
            if due and not self._after:
                raise BrokenError
            result = method(*args, **kwargs)
            if due:
                raise BrokenError
            return result

        return call
