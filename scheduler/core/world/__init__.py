"""The World: what is known, folded from committed records and outcomes of calls.

Lives here: `World` and the parts it is made of, each a small reducer of its own: the backlog (who waits),
the ledger (which attempt holds room where), the attempts (what was heard of each), the deadlines (when
patience ends), the fleet (container instances, group, free index), the growth book and its promises (what
was bought, and for whom), the definitions (what is registered), the revisions (which of ours is of use),
the scan of the family (what an earlier store had registered), the reservations (whose room is kept), the
agenda and its searches (what is to be read, repeated or stopped when), the removals (who is on the way out,
and how far), and what is known of who should go: idleness, ages, disconnections, arrivals, membership, the
ranks and the muster, daemons, the interlocks; `upkeep` sums them up, and `findings` says what was seen of the
sick. `late_launches` knows for how long nobody has come that should. Of what fails to start, `starts` tells
whose fault it is: an instance goes into quarantine, a configuration has a breaker. `remembering` has one rule
for each kind of fact, `hearing` and its like have one for each kind of outcome, `failing_calls` the
conditions of those that are refused. Deterministic, no I/O; touched by the control loop alone. May import the
rest of the core but not `decide`.
"""
