CREATE SCHEMA IF NOT EXISTS audit;
COMMENT ON SCHEMA audit IS 'The audit log: every change of the watched tables, who made it, and when.';

-- Names compare byte by byte (COLLATE "C"), which makes the index on them cheap to maintain.
CREATE TABLE IF NOT EXISTS audit.events (
  committed_at timestamptz NOT NULL,
  event_id uuid NOT NULL,
  source_id text NOT NULL,
  transaction_id bigint,
  sequence integer,
  position text,
  operation text COLLATE "C" NOT NULL,
  schema_name text COLLATE "C" NOT NULL,
  table_name text COLLATE "C" NOT NULL,
  record_key jsonb,
  before jsonb,
  after jsonb,
  unknown_columns text[],
  untyped_columns text[],
  actor text,
  request_id text,
  context jsonb,
  captured_at timestamptz,
  transformed_at timestamptz,
  stored_at timestamptz NOT NULL DEFAULT now(),
  stream_order bigint,
  partition_name text,
  before_patches jsonb,
  PRIMARY KEY (committed_at, event_id),
  CONSTRAINT operation_is_known CHECK (
    operation IN ('insert', 'update', 'delete', 'truncate', 'baseline', 'context', 'schema', 'canary', 'load')
  )
) PARTITION BY RANGE (committed_at);

-- A table of an earlier version. Only when absent, since even ADD COLUMN IF NOT EXISTS stops the sink until the
-- bootstrap commits.
DO $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM pg_attribute WHERE attrelid = 'audit.events'::regclass AND attname = 'stream_order'
  ) THEN
    ALTER TABLE audit.events ADD COLUMN stream_order bigint, ADD COLUMN partition_name text;
  END IF;
  IF NOT EXISTS (
    SELECT FROM pg_attribute WHERE attrelid = 'audit.events'::regclass AND attname = 'before_patches'
  ) THEN
    ALTER TABLE audit.events ADD COLUMN before_patches jsonb;
  END IF;
END
$$;

-- Likewise. The rows that are there keep to the narrower rule of before, so nothing has to be read.
DO $$
BEGIN
  IF (SELECT pg_get_constraintdef(oid) NOT LIKE '%''load''%' FROM pg_constraint
      WHERE conrelid = 'audit.events'::regclass AND conname = 'operation_is_known') THEN
    ALTER TABLE audit.events
      DROP CONSTRAINT operation_is_known,
      ADD CONSTRAINT operation_is_known CHECK (
        operation IN ('insert', 'update', 'delete', 'truncate', 'baseline', 'context', 'schema', 'canary', 'load')
      ) NOT VALID;
  END IF;
END
$$;

COMMENT ON TABLE audit.events IS
  'One row per audit event, append-only. The sink writes it, readers use audit.log, and audit.maintain keeps its partitions.';
COMMENT ON COLUMN audit.events.committed_at IS 'Commit time at the source; for a baseline, when DMS read the row.';
COMMENT ON COLUMN audit.events.event_id IS
  'Identity: the same change always gets the same id, so a replay changes nothing.';
COMMENT ON COLUMN audit.events.source_id IS 'Which pipeline and database the change came from.';
COMMENT ON COLUMN audit.events.transaction_id IS
  'PostgreSQL transaction id (32 bits, wraps: pair it with committed_at); null for baselines.';
COMMENT ON COLUMN audit.events.sequence IS 'Place of the change within its transaction, from 1.';
COMMENT ON COLUMN audit.events.position IS 'DMS stream position, built from the WAL position.';
COMMENT ON COLUMN audit.events.operation IS
  'insert, update, delete, truncate, baseline, context, schema, canary or load.';
COMMENT ON COLUMN audit.events.schema_name IS 'Schema of the changed table.';
COMMENT ON COLUMN audit.events.table_name IS 'The changed table.';
COMMENT ON COLUMN audit.events.record_key IS
  'Key columns and their values after the change; null for a table without a key.';
COMMENT ON COLUMN audit.events.before IS
  'Update: the old values of the columns that changed, but those of before_patches. Delete: the whole old row.';
COMMENT ON COLUMN audit.events.after IS 'Insert, update, baseline: the whole new row. Schema: the table''s new shape.';
COMMENT ON COLUMN audit.events.unknown_columns IS
  'Columns whose old or new value the stream did not carry; absent from the image they are unknown in.';
COMMENT ON COLUMN audit.events.untyped_columns IS
  'Columns kept as the text that DMS sent, because their type was not known or did not fit.';
COMMENT ON COLUMN audit.events.actor IS 'Context events: who acted.';
COMMENT ON COLUMN audit.events.request_id IS 'Context events: the request or job that acted.';
COMMENT ON COLUMN audit.events.context IS 'Context, schema, canary and load events: free JSON.';
COMMENT ON COLUMN audit.events.captured_at IS 'When DMS built the change record.';
COMMENT ON COLUMN audit.events.transformed_at IS 'When the transformer built the audit event.';
COMMENT ON COLUMN audit.events.stored_at IS 'When the row was stored; set by the database.';
COMMENT ON COLUMN audit.events.stream_order IS
  'Place in the source''s stream, whatever its clock did; null in events of versions that did not note it, which are older.';
COMMENT ON COLUMN audit.events.before_patches IS
  'Update: of changed documents the JSON Patch (RFC 6902) that makes the old value of the new one.';
COMMENT ON COLUMN audit.events.partition_name IS
  'The partition that held the row, as schema.table, when the table is partitioned.';

-- Here rather than with the functions for readers, because an index uses it.
CREATE OR REPLACE FUNCTION audit.previous_key(record_key jsonb, before jsonb)
RETURNS jsonb
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT jsonb_object_agg(name, coalesce(before -> name, value)) FROM jsonb_each(record_key) AS part (name, value)
$$;
COMMENT ON FUNCTION audit.previous_key(jsonb, jsonb) IS 'The key that a record had before an update.';

CREATE OR REPLACE FUNCTION audit.patched(document jsonb, patch jsonb)
RETURNS jsonb
LANGUAGE plpgsql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  operation jsonb;
  pointer text;
  path text[];
  parent jsonb;
BEGIN
  IF jsonb_typeof(patch) <> 'array' THEN
    RETURN NULL;
  END IF;
  FOR place IN 0..jsonb_array_length(patch) - 1 LOOP
    operation := patch -> place;
    pointer := operation ->> 'path';
    -- Without its slash the pointer to a member without a name is empty, and an empty text has no parts.
    path := CASE pointer WHEN '/' THEN ARRAY[''] ELSE string_to_array(substr(pointer, 2), '/') END;
    IF position('~' IN pointer) > 0 THEN
      path := ARRAY(
        SELECT replace(replace(part.name, '~1', '/'), '~0', '~')
        FROM unnest(path) WITH ORDINALITY AS part (name, number) ORDER BY part.number);
    END IF;
    CASE operation ->> 'op'
      WHEN 'replace' THEN
        document := CASE WHEN pointer = '' THEN operation -> 'value'
          WHEN document #> path IS NOT NULL THEN jsonb_set(document, path, operation -> 'value', false) END;
      WHEN 'remove' THEN
        document := CASE WHEN document #> path IS NOT NULL THEN document #- path END;
      WHEN 'add' THEN
        parent := document #> path[:cardinality(path) - 1];
        IF jsonb_typeof(parent) = 'array' AND path[cardinality(path)] = '-' THEN
          path[cardinality(path)] := jsonb_array_length(parent);
        END IF;
        document := CASE
          WHEN pointer = '' THEN operation -> 'value'
          WHEN jsonb_typeof(parent) = 'object' THEN jsonb_set(document, path, operation -> 'value')
          WHEN jsonb_typeof(parent) = 'array' AND path[cardinality(path)] ~ '^\d{1,9}$'
            AND path[cardinality(path)]::integer <= jsonb_array_length(parent)
            THEN jsonb_insert(document, path, operation -> 'value')
        END;
      ELSE
        RETURN NULL;
    END CASE;
  END LOOP;
  RETURN document;
END
$$;
COMMENT ON FUNCTION audit.patched(jsonb, jsonb) IS
  'A document after a JSON Patch (RFC 6902) of add, remove and replace; null when it does not fit the document.';

CREATE OR REPLACE FUNCTION audit.old_values(event audit.events)
RETURNS jsonb
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN event.before_patches IS NULL THEN event.before ELSE event.before || coalesce((
    SELECT jsonb_object_agg(changed.name, old.value)
    FROM jsonb_each(event.before_patches) AS changed (name, patch)
    CROSS JOIN LATERAL (SELECT audit.patched(event.after -> changed.name, changed.patch) AS value OFFSET 0) AS old
    WHERE old.value IS NOT NULL
  ), '{}') END
$$;
COMMENT ON FUNCTION audit.old_values(audit.events) IS
  'The old values of the columns that an update changed, with documents whole; the old row of a delete.';

-- Created only when absent: even CREATE INDEX IF NOT EXISTS would block the sink until the bootstrap commits.
DO $$
BEGIN
  -- The table comes first, so that the keys of one table share pages and inserts touch few of them. The schema comes after the key, so that a search
  -- by table and key alone is as fast. The time is there so that the newest event before a time is found in the index.
  IF to_regclass('audit.events_record_order') IS NULL THEN
    CREATE INDEX events_record_order
      ON audit.events (table_name, record_key, schema_name, stream_order, committed_at);
    COMMENT ON INDEX audit.events_record_order IS 'The history of one record, in the order of the stream.';
    -- The same of an earlier version, ordered by the source's clock.
    DROP INDEX IF EXISTS audit.events_record;
  END IF;
  -- The sequence is there so that a page of a transaction is read without the rest of it.
  IF to_regclass('audit.events_act') IS NULL THEN
    CREATE INDEX events_act ON audit.events (transaction_id, committed_at, sequence);
    COMMENT ON INDEX audit.events_act IS 'All changes of one transaction, in their order.';
    -- The same of an earlier version, without an order.
    DROP INDEX IF EXISTS audit.events_transaction;
  END IF;
  IF to_regclass('audit.events_time') IS NULL THEN
    CREATE INDEX events_time ON audit.events USING brin (committed_at);
    COMMENT ON INDEX audit.events_time IS 'What happened in a time range, at nearly no cost.';
  END IF;
  IF to_regclass('audit.events_actor') IS NULL THEN
    CREATE INDEX events_actor ON audit.events (actor, committed_at) WHERE operation = 'context';
    COMMENT ON INDEX audit.events_actor IS 'What one actor did.';
  END IF;
  -- Without it, each change of a bulk transaction would search the whole transaction for its context.
  IF to_regclass('audit.events_context') IS NULL THEN
    CREATE INDEX events_context ON audit.events (transaction_id, committed_at, sequence) WHERE operation = 'context';
    COMMENT ON INDEX audit.events_context IS 'The contexts of one transaction.';
  END IF;
  -- It holds only the rare updates of a key: those whose old values give another key.
  IF to_regclass('audit.events_previous_key') IS NULL THEN
    CREATE INDEX events_previous_key
      ON audit.events (table_name, audit.previous_key(record_key, before), schema_name, stream_order)
      WHERE operation = 'update' AND NOT (record_key || before) @> record_key;
    COMMENT ON INDEX audit.events_previous_key IS 'Updates that took a record away from a key.';
    DROP INDEX IF EXISTS audit.events_key_change;
  END IF;
  IF to_regclass('audit.events_schema') IS NULL THEN
    CREATE INDEX events_schema ON audit.events (table_name, schema_name, stream_order) WHERE operation = 'schema';
    COMMENT ON INDEX audit.events_schema IS 'The shapes and names that a table had.';
  END IF;
  IF to_regclass('audit.events_request') IS NULL THEN
    CREATE INDEX events_request ON audit.events (request_id, committed_at)
      WHERE operation = 'context' AND request_id IS NOT NULL;
    COMMENT ON INDEX audit.events_request IS 'What one request did.';
  END IF;
  -- Of the usual operations the newest are always near the end of the log. Of these the last one may be a year back.
  IF to_regclass('audit.events_rare') IS NULL THEN
    CREATE INDEX events_rare ON audit.events (operation, committed_at)
      WHERE operation IN ('delete', 'truncate', 'schema', 'load');
    COMMENT ON INDEX audit.events_rare IS 'The last deletes, truncates, schema changes and loads, whatever their table.';
  END IF;
  IF to_regclass('audit.events_load') IS NULL THEN
    CREATE INDEX events_load ON audit.events (table_name, schema_name) WHERE operation = 'load';
    COMMENT ON INDEX audit.events_load IS 'The full loads of a table.';
  END IF;
END
$$;

-- lz4 costs a fraction of pglz on images of more than 2 KB. Not every build of PostgreSQL has it.
DO $$
BEGIN
  IF (SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression') AND EXISTS (
    SELECT FROM pg_attribute
    WHERE attrelid = 'audit.events'::regclass AND attname IN ('before', 'after', 'before_patches')
      AND attcompression <> 'l'
  ) THEN
    ALTER TABLE audit.events ALTER COLUMN before SET COMPRESSION lz4, ALTER COLUMN after SET COMPRESSION lz4,
      ALTER COLUMN before_patches SET COMPRESSION lz4;
  END IF;
END
$$;
