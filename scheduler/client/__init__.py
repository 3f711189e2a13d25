"""The client: typed, asynchronous, and able to resume a watch where it was cut off.

What lives here: the connection, submissions and wishes that are retried under the same request id,
cancellations, listings page by page, watches that resume, and refusals as values. `docs/` calls it the
reference client; the command line is its first user.

May import: `scheduler.core` and the generated `ecs_scheduler`. It knows nothing of how the server
is built, and `scheduler.api` knows nothing of it.

Words: a *resume token* is opaque and comes with every message of a watch. A *refusal* is an error status
with its details. An *interruption* is the end of a stream that is taken up again.
"""
