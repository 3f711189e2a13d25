-- A file of schema 4 becomes one of schema 5 in one transaction: a crash leaves it as it was.
BEGIN IMMEDIATE;

-- Tasks that were accepted before share their container instances.
ALTER TABLE task ADD COLUMN exclusive INTEGER NOT NULL DEFAULT 0;

UPDATE meta SET schema_version = 5;

COMMIT;
