"""`demo`: the service and a simulated AWS as two processes, twenty agents, and what becomes of them.

What lives here: the child processes, the story (what was heard so far), two ways to show it, and the verdict
from the simulation's journal.

May import: the command line's own parts, the client and the generated messages.

Words: the *story* is a fold over watch events and readings of the cluster; a *teller* shows it as it grows,
as a live screen on a terminal or as plain lines in a pipe; the *verdict* compares it with the journal.
"""
