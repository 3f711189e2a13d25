"""Container logs: what `TailLogs` streams, read from CloudWatch Logs at a rate that the account can bear.

What lives here: one client's way through the logs of a task (`tail`), the readings that all of them share
(`reads`) and the threads that carry them out (`poller`). Nothing here delays anything else: the threads, the
clients and the budget are its own.

May import: the core, the ports, and `services.watch` to hear of tasks.

Words:
  source    one container of one launch of a task: one log stream
  place     where in a stream to read: behind a token, from the beginning, or from the last lines
  reading   one place of one source; whoever wants the same one gets the same answer
  end       the place behind everything that is there yet
  patience  how long after a task's end its last lines, or its whole stream, may still turn up
"""
