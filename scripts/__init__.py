"""Scripts: what is run by `make` or by a container, never by the service itself.

May import: the standard library, and the tools of the development environment. Nothing imports a
script but its test.
"""
