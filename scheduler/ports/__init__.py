"""Ports: what the shell needs from outside, said as tiny Protocols.

Each port is documented by duty: who calls it, what may be assumed, what every error means. One
conformance suite per port runs against every adapter that claims to keep it.

May import: `scheduler.core`, for the nouns. Never an adapter, never an SDK.

Words: a *port* is a Protocol; an *adapter* is one way of keeping it.
"""
