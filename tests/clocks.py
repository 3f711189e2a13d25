"""Clocks for tests: time that passes only when the test says so."""

from scheduler.lab.clock import START_MS, VirtualClock

__all__ = ["START_MS", "VirtualClock"]
