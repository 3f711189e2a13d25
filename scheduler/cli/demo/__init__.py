"""`demo`: the service and a simulated AWS as two processes, sixty agents, and four mishaps.

What lives here: the child processes, the cast and the plot, the story (what was heard so far), two ways to
show it, and the verdict from the simulation's journal.

May import: the command line's own parts, the client and the generated messages.

Words: the *plot* says who asks for what and when something goes wrong; the *story* is a fold over what the
service's API tells; a *teller* shows it as it grows, as a live screen on a terminal or as plain lines in a
pipe; the *account* is a fold over the journal of the simulated AWS; the *verdict* compares the two.
"""
