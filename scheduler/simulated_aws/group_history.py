"""The group's recent past: what a read shows that lags behind."""

from collections import deque

from scheduler.simulated_aws.shapes import Shape


class GroupHistory:
    """The group as it was described after each change, as far back as the lag needs."""

    def __init__(self, lag_ms: int) -> None:
        self._lag_ms = lag_ms
        self._past: deque[tuple[int, Shape]] = deque()

    def note(self, now_ms: int, shape: Shape) -> None:
        """Keep how the group looks at present, if it changed."""
        if self._past and self._past[-1][1] == shape:
            return
        if self._past and self._past[-1][0] == now_ms:
            self._past.pop()
        self._past.append((now_ms, shape))

    def read(self, now_ms: int) -> Shape:
        """How the group looked one lag ago, or at the first look at it."""
        while len(self._past) > 1 and self._past[1][0] <= now_ms - self._lag_ms:
            self._past.popleft()
        return self._past[0][1]
