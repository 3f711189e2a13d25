"""Adapters: the outside world behind the ports, one folder per outside thing.

An adapter translates and nothing more: dicts of an SDK, rows of a database or ticks of a clock on
one side, the core's nouns on the other. `system` alone reads the system clock and makes random ids.

May import: `scheduler.core`, `scheduler.ports` and the library of its own outside thing. Adapters
know neither each other nor the services.

Words: every call ends in an *outcome* that is definite or unknown; no adapter retries what must
not repeat.
"""
