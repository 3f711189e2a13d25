"""The API: the gRPC edge. A servicer parses, delegates and renders, in about ten lines a method.

This is one of the three packages that may touch protobuf: messages are turned into the core's
nouns on the way in and back on the way out, and errors become `google.rpc.Status`.

Where to look: `server` starts and stops everything, `listener` keeps it listening; `scheduler_servicer` and
`scaling_servicer` serve our own API, `health` and `reflection` the standard ones; `convert` is proto <->
model; `task_pages`, `instance_pages`, `watch_stream`, `scaling_stream` and `log_stream` cut what was read
into messages, the streams at their `pace`, after `searches` that may take long; `status` is the table of
errors, applied by the one interceptor;
`gathering` has calls go on together; `replies` brings answers from the writer's thread and the control
loop's to the event loop; `tls` makes the server's credentials of what `certificate_check` finds fit.

May import: `scheduler.services`, `scheduler.ports`, `scheduler.config`, `scheduler.core`, and the
generated `ecs_scheduler`.

Words: a *servicer* serves one gRPC service; a *watch* is a server stream that can be resumed; a *progress
message* carries no event, only a newer token.
"""
