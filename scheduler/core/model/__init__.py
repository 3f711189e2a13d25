"""The nouns: frozen values that every other part speaks in.

May import: the standard library only, and modules of this package. Nothing here decides anything.
"""
