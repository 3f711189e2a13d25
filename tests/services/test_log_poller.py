"""The threads that read logs."""

from queue import SimpleQueue

from scheduler.adapters.system import SystemClock
from scheduler.ports.logs import LogLine, LogPage, LogPlace
from scheduler.services.logs.poller import LogPoller
from scheduler.services.logs.reads import Read, Reading
from tests.services.played_logs import FailingLogs, source

WAIT_S = 10.0
READING = Reading(source=source(), place=LogPlace())


def asked(poller: LogPoller) -> Read:
    """What comes of one reading."""
    told: SimpleQueue[Read] = SimpleQueue()
    poller.join(READING.source)
    poller.want(READING, told.put, at_end=False, is_live=False)
    read = told.get(timeout=WAIT_S)
    poller.leave(READING.source)
    return read


def a_poller(logs: FailingLogs) -> LogPoller:
    return LogPoller(logs, SystemClock(), reads_per_s=100)


def test_what_is_wanted_is_read() -> None:
    """By a thread of its own."""
    logs = FailingLogs()
    logs.put(source(), LogLine(time_ms=1, text="a"))
    poller = a_poller(logs)
    poller.start()
    read = asked(poller)
    poller.stop()
    assert isinstance(read.found, LogPage)
    assert [line.text for line in read.found.lines] == ["a"]


def test_a_defect_ends_no_thread() -> None:
    """Whoever asked is told, and the next reading is carried out."""
    logs = FailingLogs()
    logs.put(source(), LogLine(time_ms=1, text="a"))
    logs.failures = [KeyError("a defect")] * 8
    poller = a_poller(logs)
    poller.start()
    found = [asked(poller).found for _ in range(9)]
    poller.stop()
    assert [isinstance(each, KeyError) for each in found] == [True] * 8 + [False]


def test_after_the_stop_nothing_is_read() -> None:
    """What waits is dropped."""
    logs = FailingLogs()
    poller = a_poller(logs)
    poller.start()
    poller.stop()
    poller.join(READING.source)
    poller.want(READING, lambda _: None, at_end=False, is_live=False)
    assert logs.readings.total() == 0
