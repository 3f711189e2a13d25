"""What drives the real service on a virtual clock.

Lives here: the virtual clock, the virtual driver, what stands in for the outside, and the fault machine
(`chaos`). May import `bootstrap` and everything below it, and `simulated_aws`. Nothing here is a copy of the
service: it is the same control loop, the same adapter and the same stores, with one heap in place of threads.
"""
