"""Datadog: the telemetry port on Datadog's agent, or on its API where no agent is.

Telling costs its caller an append to a bounded queue. One thread of ours takes from it, sums up, and is the
only one that meets the network; whatever becomes of that, nobody else waits. Of the library `datadog` the
DogStatsD client and the API's resources are used, and none of its own threads, buffers or readings of the
environment (docs/adr/0017-datadog.md).

May import: `scheduler.ports`, `scheduler.config` and `datadog`.

Words: a *series* is a metric with one value of its tag; a *digest* of notices is one event for many; an
*intake* is whoever takes both.
"""
