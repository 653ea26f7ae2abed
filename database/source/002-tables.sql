CREATE SCHEMA IF NOT EXISTS capture;
COMMENT ON SCHEMA capture IS
  'Change capture, source side: writes to the WAL what change records lack: who acts, table shapes and truncates.';

CREATE SCHEMA IF NOT EXISTS capture_heartbeat;
COMMENT ON SCHEMA capture_heartbeat IS
  'DMS keeps its heartbeat table here, so that an idle database does not pin WAL.';

-- The table has no key and no index, and is insert-only, because every writer pays for it. The body is cut into varchar
-- columns because DMS leaves LOB columns (text, jsonb) out of tables without a key.
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
  'Messages to the audit pipeline. Each is captured from the WAL in the transaction that it describes. Maintenance '
  'empties the table.';
COMMENT ON COLUMN capture.signal.kind IS 'context, session, catalog, truncate or canary.';
COMMENT ON COLUMN capture.signal.schema_name IS 'Schema of the table that a catalog or truncate signal is about.';
COMMENT ON COLUMN capture.signal.table_name IS 'The table that a catalog or truncate signal is about.';
DO $$
BEGIN
  FOR piece IN 1..16 LOOP
    EXECUTE format('COMMENT ON COLUMN capture.signal.body_%s IS %L', piece,
      format('Piece %s of 16 of the JSON body. Each has 2,000 characters; the reader joins them.', piece)
        || coalesce(' In a session signal: ' || (ARRAY['actor', 'request_id', 'session_user', 'application_name',
          'client_address'])[piece] || ', as it is.', ''));
  END LOOP;
END
$$;

CREATE TABLE IF NOT EXISTS capture.selection (
  schema_name text NOT NULL,
  table_pattern text NOT NULL,
  PRIMARY KEY (schema_name, table_pattern)
);
-- An earlier version made only the two columns above.
ALTER TABLE capture.selection
  ADD COLUMN IF NOT EXISTS place integer NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS ignored_columns text[] NOT NULL DEFAULT '{}',
  ADD COLUMN IF NOT EXISTS redacted_columns text[] NOT NULL DEFAULT '{}',
  ADD COLUMN IF NOT EXISTS identify_actor boolean NOT NULL DEFAULT false,
  ADD COLUMN IF NOT EXISTS replica_identity text NOT NULL DEFAULT 'full';
COMMENT ON TABLE capture.selection IS
  'The tables that DMS reads, by name, and how they are watched. Written by the last bootstrap; empty before the first. '
  'If several entries match a table, an exact name wins, then the longest pattern.';
COMMENT ON COLUMN capture.selection.schema_name IS 'Schema of the tables.';
COMMENT ON COLUMN capture.selection.table_pattern IS 'A LIKE pattern that the table names match.';
COMMENT ON COLUMN capture.selection.place IS 'Place in the list.';
COMMENT ON COLUMN capture.selection.ignored_columns IS 'For capture.watch. A table ignores those that it has.';
COMMENT ON COLUMN capture.selection.redacted_columns IS
  'For capture.watch. A table redacts those that it has, and the others once it gets them.';
COMMENT ON COLUMN capture.selection.identify_actor IS 'For capture.watch.';
COMMENT ON COLUMN capture.selection.replica_identity IS 'For capture.watch.';

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
  'The tables under audit. capture.watch writes it; the DDL triggers keep it up to date.';
COMMENT ON COLUMN capture.watched_tables.relation IS 'The table, by identity: a rename keeps it.';
COMMENT ON COLUMN capture.watched_tables.schema_name IS 'Schema as last published.';
COMMENT ON COLUMN capture.watched_tables.table_name IS 'Name as last published.';
COMMENT ON COLUMN capture.watched_tables.partition_of IS
  'The watched partitioned table that this one belongs to; null for a table that was watched by its own name.';
COMMENT ON COLUMN capture.watched_tables.ignored_columns IS
  'A change of these columns alone writes no audit event. Names stay through renames and drops.';
COMMENT ON COLUMN capture.watched_tables.redacted_columns IS
  'Values of these columns never reach the audit log. Names stay through renames and drops, so that none is revealed.';
COMMENT ON COLUMN capture.watched_tables.identify_actor IS 'Whether a statement trigger writes a context per transaction.';
COMMENT ON COLUMN capture.watched_tables.replica_identity IS 'The identity that watch was asked for: full, default or keep.';
COMMENT ON COLUMN capture.watched_tables.original_replica_identity IS
  'The identity that unwatch restores: full, default, index or nothing.';
COMMENT ON COLUMN capture.watched_tables.original_identity_index IS
  'The replica identity index before watch. It is also the key of a table without a primary key.';
COMMENT ON COLUMN capture.watched_tables.column_names IS
  'Column names by attribute number as last published, null where dropped. A rename shows in the difference.';
COMMENT ON COLUMN capture.watched_tables.shape IS
  'The shape as last published; null for a partitioned table, whose partitions are published instead.';
COMMENT ON COLUMN capture.watched_tables.watched_at IS 'When watch was last called for the table.';
