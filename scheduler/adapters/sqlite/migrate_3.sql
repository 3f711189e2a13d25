-- A file of schema 3 becomes one of schema 4 in one transaction: a crash leaves it as it was.
BEGIN IMMEDIATE;

-- Tasks that were accepted before run anywhere.
ALTER TABLE task ADD COLUMN architecture TEXT NOT NULL DEFAULT '';

UPDATE meta SET schema_version = 4;

COMMIT;
