"""Late launches: what EC2 owes for so long that it may never come, though nothing says that it failed.

A group whose process Launch is suspended tries nothing (EC2 Auto Scaling User Guide: Suspend and resume
processes), and a lifecycle hook keeps what it launched from service: neither is a failed activity.
"""

_MINUTE_MS = 60_000


class LateLaunches:
    """The wait for an arrival. A memory of the process: the next one waits anew.

    `late`: none has come for too long. `futile`: the group has not even launched all that it owes, so that it
    would owe whatever else it is asked for as well.
    """

    def __init__(self) -> None:
        """Nothing is owed."""
        self._owed = 0
        self._unlaunched = 0
        self._since_ms = 0
        self.late = False

    @property
    def futile(self) -> bool:
        """Members that were launched and do not join say nothing of the next: those alone stop no growth."""
        return self.late and self._unlaunched > 0

    def see(self, owed: int, unlaunched: int, now_ms: int, *, arrived: bool) -> None:
        """So many instances are owed, and so many members are lacking. The wait begins, goes on or ends."""
        if arrived or not self._owed:
            self._since_ms = now_ms
        self._owed, self._unlaunched = owed, min(owed, unlaunched)

    def judge(self, read_ms: int, patience_ms: int) -> str:
        """What is to be told. By `read_ms`, to when all was read: later than that one may have come."""
        waited_ms = read_ms - self._since_ms
        self.late = self._owed > 0 and waited_ms >= patience_ms
        if not self.late:
            return ""
        futile = (
            f", and {self._unlaunched} of them are not even launched, so no more are asked for than the floor"
            if self.futile
            else ""
        )
        return (
            f"the group owes {self._owed} container instances, and for {waited_ms // _MINUTE_MS} minutes "
            f"none has come{futile}; look at its suspended processes, its lifecycle hooks and its activities"
        )
