"""Services: the shell's verbs, between the edges and the pure core.

A service records intentions, feeds the control loop and carries out the plan that comes back.
Everything here is synchronous: only the edge (`scheduler.api`) is asynchronous, and threads exist
only in the production driver, the writer and the poller of `logs`.

May import: `scheduler.core` and `scheduler.ports`. What is behind a port is never its business.

Words: an *intent* is committed before its effect is sent; an *outcome* is definite or unknown.
"""
