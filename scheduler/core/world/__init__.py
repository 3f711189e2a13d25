"""The World: what is known, folded from committed records and outcomes of calls.

Lives here: `World` and the parts it is made of, each a small reducer of its own: the backlog (who waits), the
ledger (which attempt holds room where), the attempts (what was heard of each), the deadlines (when patience
ends), the fleet (container instances, group, free index), the growth book and its promises (what was bought,
and for whom), the definitions (what is registered), the agenda and its searches (what is to be read, repeated
or stopped when), the removals (who is on the way out, and how far), and what is known of who should go:
idleness, disconnections, arrivals, the muster, the interlocks; `upkeep` sums them up. `hearing` and
`hearing_capacity` have one rule for each kind of outcome. Deterministic, no I/O; touched by the
control loop alone. May import the rest of the core but not `decide`.
"""
