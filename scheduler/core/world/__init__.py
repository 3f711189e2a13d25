"""The World: what is known, folded from committed records and outcomes of calls.

Lives here: `World` and the parts it is made of, each a small reducer of its own: the backlog (who waits), the
ledger (which attempt holds room where), the fleet (container instances, group, free index), the definitions
(what is registered) and the agenda (what is to be read or repeated when). Deterministic, no I/O; touched
by the control loop alone. May import the rest of the core but not `decide`.
"""
