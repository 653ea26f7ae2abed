CREATE SCHEMA IF NOT EXISTS capture;
COMMENT ON SCHEMA capture IS
  'Change capture, source side: says through the WAL what change records do not: who acts, table shapes, truncates.';

CREATE SCHEMA IF NOT EXISTS capture_heartbeat;
COMMENT ON SCHEMA capture_heartbeat IS
  'DMS keeps its heartbeat table here, so that an idle database does not pin WAL.';

-- Neither key nor index, and insert-only: every writer pays for this table. The body stands in varchar pieces because
-- DMS leaves LOB columns (text, jsonb) out of tables without a key.
CREATE TABLE IF NOT EXISTS capture.signal (
  kind varchar(16) NOT NULL,
  schema_name varchar(63),
  table_name varchar(63),
  body_1 varchar(2000) NOT NULL,
  body_2 varchar(2000),
  body_3 varchar(2000),
  body_4 varchar(2000),
  body_5 varchar(2000),
  body_6 varchar(2000),
  body_7 varchar(2000),
  body_8 varchar(2000),
  body_9 varchar(2000),
  body_10 varchar(2000),
  body_11 varchar(2000),
  body_12 varchar(2000),
  body_13 varchar(2000),
  body_14 varchar(2000),
  body_15 varchar(2000),
  body_16 varchar(2000)
);
COMMENT ON TABLE capture.signal IS
  'Messages to the audit pipeline, captured from the WAL in the transaction they describe. Emptied by maintenance.';
COMMENT ON COLUMN capture.signal.kind IS 'context, session, catalog, truncate or canary.';
COMMENT ON COLUMN capture.signal.schema_name IS 'Schema of the table that a catalog or truncate signal is about.';
COMMENT ON COLUMN capture.signal.table_name IS 'The table that a catalog or truncate signal is about.';
DO $$
BEGIN
  FOR piece IN 1..16 LOOP
    EXECUTE format('COMMENT ON COLUMN capture.signal.body_%s IS %L', piece,
      format('Piece %s of 16 of the JSON body: 2,000 characters each, concatenated by the reader.', piece)
        || coalesce(' Of a session signal: ' || (ARRAY['actor', 'request_id', 'session_user', 'application_name',
          'client_address'])[piece] || ', as it is.', ''));
  END LOOP;
END
$$;

CREATE TABLE IF NOT EXISTS capture.selection (
  schema_name text NOT NULL,
  table_pattern text NOT NULL,
  PRIMARY KEY (schema_name, table_pattern)
);
ALTER TABLE capture.selection
  ADD COLUMN IF NOT EXISTS place integer NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS ignored_columns text[] NOT NULL DEFAULT '{}',
  ADD COLUMN IF NOT EXISTS redacted_columns text[] NOT NULL DEFAULT '{}',
  ADD COLUMN IF NOT EXISTS identify_actor boolean NOT NULL DEFAULT false,
  ADD COLUMN IF NOT EXISTS replica_identity text NOT NULL DEFAULT 'full';
COMMENT ON TABLE capture.selection IS
  'The tables that DMS reads, by name, and how they are watched, as the last bootstrap was told; empty when it was never '
  'told. Of several entries for a table one without % counts, else the longest.';
COMMENT ON COLUMN capture.selection.schema_name IS 'Schema of the tables.';
COMMENT ON COLUMN capture.selection.table_pattern IS 'A pattern of LIKE that their names match.';
COMMENT ON COLUMN capture.selection.place IS 'Place in the list.';
COMMENT ON COLUMN capture.selection.ignored_columns IS 'As capture.watch takes it; a table that lacks one ignores the rest.';
COMMENT ON COLUMN capture.selection.redacted_columns IS
  'As capture.watch takes it; a table that lacks one redacts the rest, and that one once it is there.';
COMMENT ON COLUMN capture.selection.identify_actor IS 'As capture.watch takes it.';
COMMENT ON COLUMN capture.selection.replica_identity IS 'As capture.watch takes it.';

CREATE TABLE IF NOT EXISTS capture.watched_tables (
  relation regclass PRIMARY KEY,
  schema_name text NOT NULL,
  table_name text NOT NULL,
  partition_of regclass,
  ignored_columns text[] NOT NULL,
  redacted_columns text[] NOT NULL,
  identify_actor boolean NOT NULL,
  replica_identity text NOT NULL,
  original_replica_identity text NOT NULL,
  original_identity_index regclass,
  column_names text[] NOT NULL,
  shape jsonb,
  watched_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE capture.watched_tables IS
  'The tables under audit, written by capture.watch and kept up to date by the DDL triggers.';
COMMENT ON COLUMN capture.watched_tables.relation IS 'The table, by identity: a rename keeps it.';
COMMENT ON COLUMN capture.watched_tables.schema_name IS 'Schema as last published.';
COMMENT ON COLUMN capture.watched_tables.table_name IS 'Name as last published.';
COMMENT ON COLUMN capture.watched_tables.partition_of IS
  'The watched partitioned table through which this one is watched; null when it was named itself.';
COMMENT ON COLUMN capture.watched_tables.ignored_columns IS
  'Columns whose change alone writes no audit event. Names stay through renames and drops.';
COMMENT ON COLUMN capture.watched_tables.redacted_columns IS
  'Columns whose values never reach the audit log. Names stay through renames and drops, so that none is revealed.';
COMMENT ON COLUMN capture.watched_tables.identify_actor IS
  'Whether a statement trigger writes a context per transaction.';
COMMENT ON COLUMN capture.watched_tables.replica_identity IS 'What watch was asked for: full, default or keep.';
COMMENT ON COLUMN capture.watched_tables.original_replica_identity IS
  'What unwatch restores: full, default, index or nothing.';
COMMENT ON COLUMN capture.watched_tables.original_identity_index IS
  'The replica identity index before watch; also the key of a table without a primary key.';
COMMENT ON COLUMN capture.watched_tables.column_names IS
  'Names by attribute number as last published, null where dropped: how a rename is recognised.';
COMMENT ON COLUMN capture.watched_tables.shape IS
  'Replica identity, key and columns as last published; null for a partitioned table, whose partitions are published.';
COMMENT ON COLUMN capture.watched_tables.watched_at IS 'When watch was last called for the table.';
