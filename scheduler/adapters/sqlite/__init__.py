"""The durable store in one SQLite file, held by one process.

Lives here: `SqliteStore` (`store`), which keeps `scheduler.ports.store.Store`; the file with its lock and
its schema (`lock`, `database`, `schema.sql`, `migrate_2.sql`); what a commit knows and writes (`known`,
`journal`, `commit.sql`); what is forgotten and scrubbed (`retention`); what readers see (`readers`, `rows`,
the other `.sql` files); and the JSON of nouns (`codec`).

May import: `scheduler.core.model`, `scheduler.ports`, `sqlite3` and pydantic. Never another adapter.

Words: a *commit* is one transaction of many batches; a *batch* is kept wholly or not at all; the *fence* is
the lock on `<path>.lock` and the epoch in the file; a *secret* is an environment value, kept apart from its
spec until its task is terminal; a *scrub* takes what was dropped off the disk.
"""

from scheduler.adapters.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
