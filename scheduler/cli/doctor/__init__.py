"""`doctor`: looks at everything that the service needs, changes nothing, and says what to do.

Lives here: the command; the order of its checks (`examination`); what can be looked at on this machine
(`local_checks`), in AWS (`aws_checks`), and by calls that have no effect (`permissions`).

May import: `scheduler.adapters`, `scheduler.bootstrap`, `scheduler.config` and the command line.

Words: a *finding* is the one line of a check; a *remedy* is what to do about it; a *probe* is a call that
only shows whether IAM allows it.
"""
