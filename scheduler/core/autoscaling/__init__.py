"""How many container instances there should be.

Lives here: growth (`scale_up`), who goes (`scale_down`) of those that could (`candidates`, an index that the
World maintains), between which sizes (`limits`), what is free on those that stay (`free_room`), what is known
for it (`upkeep`), what reservations come to (`reservations`), and what one decision makes of all that
(`changes`). May import `placement` (its index is the only model of "fits"), `lifecycle` and `model`. Words:
*in flight* is asked of EC2 and not yet able to work; a *hypothetical* instance is one that growth would buy;
one is *taken back* that was about to go.
"""
