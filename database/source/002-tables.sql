CREATE SCHEMA IF NOT EXISTS capture;
COMMENT ON SCHEMA capture IS
  'Change capture, source side: writes to the WAL what change records lack: who acts, table shapes and truncates.';

CREATE SCHEMA IF NOT EXISTS capture_heartbeat;
COMMENT ON SCHEMA capture_heartbeat IS
  'DMS keeps its heartbeat table here, so that an idle database does not pin WAL.';

CREATE OR REPLACE FUNCTION capture.role_settings()
RETURNS TABLE (name text, value text)
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT wanted.name, wanted.value
  FROM (VALUES
    ('DateStyle', 'ISO, YMD'),
    ('IntervalStyle', 'postgres'),
    ('TimeZone', 'UTC'),
    ('bytea_output', 'hex'),
    ('extra_float_digits', '1'),
    -- The output plugin names types without their schema if it finds them here.
    ('search_path', '"$user", public'),
    ('idle_in_transaction_session_timeout', '0'),
    ('idle_session_timeout', '0'),
    ('lock_timeout', '0'),
    ('statement_timeout', '0'),
    ('transaction_timeout', '0')
  ) AS wanted (name, value)
  -- transaction_timeout came with version 17.
  WHERE EXISTS (SELECT FROM pg_settings WHERE pg_settings.name = wanted.name)
$$;
COMMENT ON FUNCTION capture.role_settings() IS
  'Settings of the role cdc_capture. They outrank those of the database, and shape the values that it reads or would end '
  'its sessions: transaction_timeout ends one that sends a long transaction, again at each attempt.';

CREATE OR REPLACE FUNCTION capture.role_setting_statement(name text, value text)
RETURNS text
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  -- In quotes a search path would be a single name.
  SELECT format('ALTER ROLE cdc_capture SET %s = %s', name, CASE name WHEN 'search_path' THEN value ELSE quote_literal(value) END)
$$;
COMMENT ON FUNCTION capture.role_setting_statement(text, text) IS
  'The statement that gives the role cdc_capture one of its settings.';

DO $$
DECLARE
  setting record;
BEGIN
  FOR setting IN
    SELECT name, value FROM capture.role_settings()
    WHERE NOT EXISTS (
      SELECT FROM pg_db_role_setting
      WHERE setdatabase = 0 AND setrole = to_regrole('cdc_capture') AND setconfig @> ARRAY[name || '=' || value])
  LOOP
    EXECUTE capture.role_setting_statement(setting.name, setting.value);
  END LOOP;
EXCEPTION WHEN insufficient_privilege THEN
  -- The role is of somebody else's making.
  RAISE WARNING 'role cdc_capture cannot be given its settings: %', SQLERRM
    USING HINT = 'SELECT * FROM capture.problems() names what a superuser or its creator must run.';
END
$$;

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
COMMENT ON COLUMN capture.signal.kind IS 'context, session, catalog, truncate, canary or load.';
COMMENT ON COLUMN capture.signal.schema_name IS 'Schema of the table that a catalog, truncate or load signal is about.';
COMMENT ON COLUMN capture.signal.table_name IS 'The table that a catalog, truncate or load signal is about.';
DO $$
BEGIN
  FOR piece IN 1..16 LOOP
    EXECUTE format('COMMENT ON COLUMN capture.signal.body_%s IS %L', piece,
      format('Piece %s of 16 of the JSON body. Each has 2,000 characters; the reader joins them.', piece)
        || coalesce(' In a session signal: ' || (ARRAY['actor', 'request_id', 'session_user', 'application_name',
          'client_address', 'current_user'])[piece] || ', as it is.', ''));
  END LOOP;
END
$$;

CREATE SEQUENCE IF NOT EXISTS capture.catalog_number;
COMMENT ON SEQUENCE capture.catalog_number IS
  'Numbers catalog signals in the order of their writing. A full load reads them in the order in which they lie in their '
  'table. Each bootstrap raises it to the microseconds since 1970.';
-- A database that was restored, or whose capture was made again, goes on above the numbers that it gave before.
SELECT setval('capture.catalog_number', microseconds)
FROM capture.catalog_number, CAST(extract(epoch FROM clock_timestamp()) * 1e6 AS bigint) AS microseconds
WHERE last_value < microseconds;

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
  ADD COLUMN IF NOT EXISTS replica_identity text NOT NULL DEFAULT 'full',
  ADD COLUMN IF NOT EXISTS exclude boolean NOT NULL DEFAULT false;
COMMENT ON TABLE capture.selection IS
  'The tables that DMS reads, by name, and how they are watched. Written by the last bootstrap; empty before the first. '
  'If several entries match a table, one that excludes wins, then an exact name, then the longest pattern.';
COMMENT ON COLUMN capture.selection.schema_name IS 'Schema of the tables.';
COMMENT ON COLUMN capture.selection.table_pattern IS 'A LIKE pattern that the table names match.';
COMMENT ON COLUMN capture.selection.place IS 'Place in the list.';
COMMENT ON COLUMN capture.selection.ignored_columns IS 'For capture.watch. A table ignores those that it has.';
COMMENT ON COLUMN capture.selection.redacted_columns IS
  'For capture.watch. A table redacts those that it has, and the others once it gets them.';
COMMENT ON COLUMN capture.selection.identify_actor IS 'For capture.watch.';
COMMENT ON COLUMN capture.selection.replica_identity IS 'For capture.watch.';
COMMENT ON COLUMN capture.selection.exclude IS 'Whether DMS does not read these tables, whichever other entry names them.';

CREATE TABLE IF NOT EXISTS capture.limits (
  name text PRIMARY KEY,
  value integer NOT NULL
);
COMMENT ON TABLE capture.limits IS 'How long values DMS takes, as the last bootstrap was told.';
COMMENT ON COLUMN capture.limits.name IS
  'unbounded varchar bytes: the longest value of a varchar without a length. A longer one ends the capture of every table.';
COMMENT ON COLUMN capture.limits.value IS 'The limit.';

CREATE TABLE IF NOT EXISTS capture.actor_sources (
  place integer PRIMARY KEY,
  source text NOT NULL UNIQUE
);
COMMENT ON TABLE capture.actor_sources IS
  'Where the actor trigger finds names that others set. capture.set_actor_sources writes it; empty means the default.';
COMMENT ON COLUMN capture.actor_sources.place IS 'The first that has a name counts. 0 stands alone: there are no sources.';
COMMENT ON COLUMN capture.actor_sources.source IS 'As capture.set_actor_sources takes it.';

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
-- An earlier version made only the columns above.
ALTER TABLE capture.watched_tables
  ADD COLUMN IF NOT EXISTS key_index oid,
  ADD COLUMN IF NOT EXISTS disabled_triggers text[] NOT NULL DEFAULT '{}';
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
  'The shape as last published; null while the table is being watched or let go.';
COMMENT ON COLUMN capture.watched_tables.key_index IS
  'The index that the key of the shape is from. Once it is dropped, nothing else tells whose it was.';
COMMENT ON COLUMN capture.watched_tables.disabled_triggers IS
  'Triggers of the capture that somebody has switched off, as last published.';
COMMENT ON COLUMN capture.watched_tables.watched_at IS 'When watch was last called for the table.';

CREATE TABLE IF NOT EXISTS capture.noted_loads (
  schema_name text NOT NULL,
  table_name text NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at timestamptz NOT NULL,
  loaded_rows bigint NOT NULL,
  noted_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (schema_name, table_name, started_at)
);
COMMENT ON TABLE capture.noted_loads IS 'The full loads that the log has been told of. capture.note_load writes it.';
COMMENT ON COLUMN capture.noted_loads.schema_name IS 'Schema of the loaded table, as DMS has it.';
COMMENT ON COLUMN capture.noted_loads.table_name IS 'The loaded table, as DMS has it.';
COMMENT ON COLUMN capture.noted_loads.started_at IS 'When the load of the table began, by the clock of DMS.';
COMMENT ON COLUMN capture.noted_loads.ended_at IS 'When it ended, by the same clock.';
COMMENT ON COLUMN capture.noted_loads.loaded_rows IS 'How many rows it read.';
COMMENT ON COLUMN capture.noted_loads.noted_at IS 'When the log was told.';
