"""The store port in plain dicts: for the lab's virtual crashes and for fast tests.

Lives here: `MemoryStore` (`store`), with the request ids that are taken (`requests`), the scaling log
(`scaling`) and the dropping of secrets (`secrets`). It survives whoever used it: drop the World, keep the
object.

May import: `scheduler.core.model` and `scheduler.ports`.

Words: as in `scheduler.ports.store`.
"""

from scheduler.adapters.memory.store import MemoryStore

__all__ = ["MemoryStore"]
