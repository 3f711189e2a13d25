"""The fault machine: the whole service on a virtual clock, under every fault that has a name, from one seed.

Lives here: a *plan* (the workload, the account, the settings and the mishaps that one seed stands for), the
*world* it is played in (the real loop, adapter and store on the simulated AWS), the *truth* (what the
account's journal tells, whatever the service believes), the *invariants* (what must hold while it is played
and at its end) and what is made of a broken one: its story, and the smallest plan that still breaks it.
May import what `lab` may.
"""
