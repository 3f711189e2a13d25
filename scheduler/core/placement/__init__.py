"""Which task goes where.

Lives here: the free index (what is free, sorted for best fit), the other `orders` that it may be sorted by,
`images` (which instances have an image's layers), the packer (queue order, one choice a task) and the
remainder (what the packer leaves, filled up for growth). May import `model`. Words: *free* is registered less
our ledger less foreign tasks; *ask* is what a task needs; *share* is an amount divided by what the instance
registered; *slots* are the tasks that may still start on an instance at this moment.
"""
