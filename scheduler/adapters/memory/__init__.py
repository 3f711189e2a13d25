"""The store and logs ports in plain dicts: for the lab's virtual crashes and for fast tests.

Lives here: `MemoryStore` (`store`), with the request ids that are taken (`requests`), the scaling log
(`scaling`) and the dropping of secrets (`secrets`); it survives whoever used it: drop the World, keep the
object. And `MemoryLogs` (`logs`) and `MemoryConsoles` (`consoles`).

May import: `scheduler.core.model` and `scheduler.ports`.

Words: as in `scheduler.ports.store`.
"""

from scheduler.adapters.memory.consoles import MemoryConsoles
from scheduler.adapters.memory.logs import MemoryLogs
from scheduler.adapters.memory.store import MemoryStore

__all__ = ["MemoryConsoles", "MemoryLogs", "MemoryStore"]
