"""How many container instances there should be.

Lives here: growth. May import `placement` (its index is the only model of "fits") and `model`. Words: *in
flight* is asked of EC2 and not yet able to work; a *hypothetical* instance is one that growth would buy.
"""
