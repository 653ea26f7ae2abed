CREATE OR REPLACE VIEW audit.log AS
SELECT
  event.committed_at AS "time",
  who.actor,
  who.request_id AS request,
  event.operation,
  event.schema_name AS "schema",
  event.table_name AS "table",
  event.record_key AS key,
  difference.changes,
  CASE WHEN event.before_patches IS NULL THEN event.before ELSE audit.old_values(event) END AS before,
  event.after,
  event.transaction_id AS transaction,
  event.sequence,
  who.context,
  event.context AS detail,
  event.unknown_columns,
  event.untyped_columns,
  event.source_id AS source,
  event.position,
  event.event_id,
  event.captured_at,
  event.transformed_at,
  event.stored_at,
  event.stream_order,
  event.partition_name AS partition
FROM audit.events AS event
LEFT JOIN LATERAL (
  -- The nearest context before the change, else the first after it: two look-ups, however many contexts there are.
  SELECT nearest.actor, nearest.request_id, nearest.context
  FROM (
    (
      SELECT 1 AS preference, context.actor, context.request_id, context.context
      FROM audit.events AS context
      WHERE context.operation = 'context'
        AND context.transaction_id = event.transaction_id
        AND context.committed_at = event.committed_at
        AND context.source_id = event.source_id
        AND context.sequence < event.sequence
      ORDER BY context.sequence DESC
      LIMIT 1
    )
    UNION ALL
    (
      SELECT 2, context.actor, context.request_id, context.context
      FROM audit.events AS context
      WHERE context.operation = 'context'
        AND context.transaction_id = event.transaction_id
        AND context.committed_at = event.committed_at
        AND context.source_id = event.source_id
        AND context.sequence > event.sequence
      ORDER BY context.sequence
      LIMIT 1
    )
  ) AS nearest
  ORDER BY nearest.preference
  LIMIT 1
) AS who ON true
LEFT JOIN LATERAL (
  SELECT jsonb_object_agg(
    named.column_name,
    CASE
      WHEN event.before ? named.column_name THEN jsonb_build_object('old', event.before -> named.column_name)
      WHEN event.before_patches ? named.column_name THEN (
        SELECT CASE WHEN patched.old IS NULL THEN '{}' ELSE jsonb_build_object('old', patched.old) END
        FROM audit.patched(event.after -> named.column_name, event.before_patches -> named.column_name) AS patched (old))
      ELSE '{}'
    END
    || CASE WHEN event.after ? named.column_name
      THEN jsonb_build_object('new', event.after -> named.column_name) ELSE '{}' END
  ) AS changes
  FROM (
    SELECT jsonb_object_keys(CASE event.operation
      WHEN 'update' THEN event.before WHEN 'delete' THEN event.before ELSE event.after END) AS column_name
    UNION ALL
    SELECT jsonb_object_keys(event.before_patches)
    UNION ALL
    SELECT unnest(event.unknown_columns) WHERE event.operation = 'update'
  ) AS named
  WHERE event.operation IN ('insert', 'update', 'delete', 'baseline')
    AND (event.before ? named.column_name OR event.after ? named.column_name)
) AS difference ON true
WHERE event.operation NOT IN ('context', 'canary');
COMMENT ON VIEW audit.log IS
  'The audit log for readers: each change with who made it. Times, keys and tables may be searched by index; to search '
  'by actor use audit.acts.';
COMMENT ON COLUMN audit.log."time" IS 'When the change was committed at the source.';
COMMENT ON COLUMN audit.log.actor IS 'Who acted; null when the application and the triggers did not say.';
COMMENT ON COLUMN audit.log.request IS 'The request or job that acted.';
COMMENT ON COLUMN audit.log.operation IS 'insert, update, delete, truncate, baseline, schema or load.';
COMMENT ON COLUMN audit.log."schema" IS 'Schema of the changed table.';
COMMENT ON COLUMN audit.log."table" IS 'The changed table.';
COMMENT ON COLUMN audit.log.key IS 'Key columns and their values after the change.';
COMMENT ON COLUMN audit.log.changes IS
  'Changed columns as {"column": {"old": ..., "new": ...}}. A side that does not exist or is not known is left out.';
COMMENT ON COLUMN audit.log.before IS 'Update: old values of the changed columns. Delete: the whole old row.';
COMMENT ON COLUMN audit.log.after IS 'Insert, update, baseline: the whole new row. Schema: the new shape of the table.';
COMMENT ON COLUMN audit.log.transaction IS 'PostgreSQL transaction id; it wraps, so pair it with the time.';
COMMENT ON COLUMN audit.log.sequence IS 'Place of the change within its transaction.';
COMMENT ON COLUMN audit.log.context IS 'What the application or trigger said about the transaction.';
COMMENT ON COLUMN audit.log.detail IS
  'Schema: reason and command. Load: when it began and ended, and how many rows it read.';
COMMENT ON COLUMN audit.log.unknown_columns IS 'Columns whose old or new value the stream did not carry.';
COMMENT ON COLUMN audit.log.untyped_columns IS 'Columns kept as text, because their type was not known or did not fit.';
COMMENT ON COLUMN audit.log.source IS 'Which pipeline and database the change came from.';
COMMENT ON COLUMN audit.log.position IS 'DMS stream position.';
COMMENT ON COLUMN audit.log.event_id IS 'Identity of the event.';
COMMENT ON COLUMN audit.log.captured_at IS 'When DMS built the change record.';
COMMENT ON COLUMN audit.log.transformed_at IS 'When the transformer built the event.';
COMMENT ON COLUMN audit.log.stored_at IS 'When the row was stored.';
COMMENT ON COLUMN audit.log.stream_order IS
  'Place in the source''s stream, whatever its clock did: audit.stream_order_of sorts by it.';
COMMENT ON COLUMN audit.log.partition IS 'The partition that held the row, when the table is partitioned.';

CREATE OR REPLACE FUNCTION audit.table_name(name text, OUT schema_name text, OUT table_name text)
LANGUAGE plpgsql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  parts text[] := parse_ident(name);
BEGIN
  IF cardinality(parts) > 2 THEN
    RAISE EXCEPTION '% names a table in more than two parts; write schema.table', quote_literal(name)
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  schema_name := CASE WHEN cardinality(parts) = 2 THEN parts[1] ELSE 'public' END;
  table_name := parts[cardinality(parts)];
END
$$;
COMMENT ON FUNCTION audit.table_name(text) IS
  'Reads a table name as SQL does: schema.table or "Schema"."Table"; without a schema, public.';

CREATE OR REPLACE FUNCTION audit.partition_name(named_schema text, named_table text)
RETURNS text
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT string_agg(
    CASE WHEN part ~ '^[a-z_][a-z0-9_$]*$' THEN part ELSE '"' || replace(part, '"', '""') || '"' END, '.' ORDER BY place)
  FROM unnest(ARRAY[named_schema, named_table]) WITH ORDINALITY AS parts (part, place)
$$;
COMMENT ON FUNCTION audit.partition_name(text, text) IS
  'A partition as events name it. Unlike quote_ident it quotes no keyword, since the transformer knows none.';

CREATE OR REPLACE FUNCTION audit.partition_since(
  source text, partition text, root_schema text, root_table text, after_place bigint[], until timestamptz,
  before_place bigint[],
  OUT schema_name text, OUT table_name text, OUT is_there boolean, OUT was_changed boolean
)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  event audit.events;
  taken jsonb;
  root jsonb;
  bound bigint[] := after_place;
BEGIN
  SELECT part.* INTO schema_name, table_name FROM audit.table_name(partition) AS part;
  is_there := true;
  was_changed := false;
  <<names>>
  LOOP
    FOR event IN
      SELECT * FROM audit.events AS candidate
      WHERE candidate.operation = 'schema' AND candidate.table_name = partition_since.table_name
        AND candidate.schema_name = partition_since.schema_name AND candidate.source_id = source
        AND candidate.committed_at <= until
        AND audit.place(candidate.stream_order, candidate.committed_at, candidate.transaction_id, candidate.sequence)
          > bound
        AND audit.place(candidate.stream_order, candidate.committed_at, candidate.transaction_id, candidate.sequence)
          < before_place
      ORDER BY audit.place(candidate.stream_order, candidate.committed_at, candidate.transaction_id, candidate.sequence)
    LOOP
      IF event.context ->> 'reason' = 'drop' THEN
        was_changed := true;
        taken := audit.renamed_to(event);
        IF taken IS NULL THEN
          is_there := false;
          RETURN;
        END IF;
        schema_name := taken ->> 'schema';
        table_name := taken ->> 'table';
        bound := audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence);
        CONTINUE names;
      END IF;
      root := event.after -> 'root';
      is_there := root IS NOT NULL AND root ->> 'schema' = root_schema AND root ->> 'table' = root_table;
      was_changed := was_changed OR root IS NULL;
    END LOOP;
    RETURN;
  END LOOP;
END
$$;
COMMENT ON FUNCTION audit.partition_since(text, text, text, text, bigint[], timestamptz, bigint[]) IS
  'What became of a partition of a table between two places: what it is called in the end, whether it belongs to the table '
  'then, and whether it got another name or was detached meanwhile. The table is named as it is called in the end.';

CREATE OR REPLACE FUNCTION audit.storages(
  source text, named_schema text, named_table text, until timestamptz, before_place bigint[]
)
RETURNS TABLE (schema_name text, table_name text)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT named_schema, named_table
    UNION ALL
    SELECT newest.schema_name, newest.table_name
    FROM (
      SELECT DISTINCT ON (event.schema_name, event.table_name)
        event.schema_name, event.table_name, event.context ->> 'reason' AS reason, event.after -> 'root' AS root
      FROM audit.events AS event
      CROSS JOIN LATERAL (
        SELECT audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence) AS place
      ) AS stands
      WHERE event.operation = 'schema' AND event.source_id = source AND event.committed_at <= until
        AND stands.place < before_place
      ORDER BY event.schema_name, event.table_name, stands.place DESC
    ) AS newest
    WHERE newest.reason <> 'drop' AND newest.root ->> 'schema' = named_schema AND newest.root ->> 'table' = named_table;
END
$$;
COMMENT ON FUNCTION audit.storages(text, text, text, timestamptz, bigint[]) IS
  'A table and the partitions that belong to it at a time.';

CREATE OR REPLACE FUNCTION audit.holder_anywhere(
  source text, named_schema text, named_table text, key jsonb, until timestamptz, before_place bigint[]
)
RETURNS TABLE (
  held audit.events, version_place bigint[], shape jsonb, newest_shape jsonb, ended_by audit.events, doubt jsonb,
  partition text, storage_schema text, storage_table text
)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  kept record;
  part record;
  attached record;
  is_right boolean := true;
BEGIN
  SELECT * INTO kept FROM audit.holder(source, named_schema, named_table, key, until, before_place);
  IF FOUND THEN
    -- Of a table with partitions it is right as long as the partition is what it was.
    IF kept.partition IS NULL AND (kept.held).partition_name IS NOT NULL THEN
      SELECT * INTO part FROM audit.partition_since(
        source, (kept.held).partition_name, named_schema, named_table,
        audit.place((kept.held).stream_order, (kept.held).committed_at, (kept.held).transaction_id, (kept.held).sequence),
        until, before_place);
      is_right := part.is_there AND NOT part.was_changed;
    END IF;
    IF is_right THEN
      RETURN QUERY SELECT kept.held, kept.version_place, kept.shape, kept.newest_shape, kept.ended_by, kept.doubt,
        kept.partition, named_schema, named_table;
      RETURN;
    END IF;
    IF part.is_there THEN
      RETURN QUERY SELECT holder.*, part.schema_name, part.table_name
        FROM audit.holder(source, part.schema_name, part.table_name, key, until, before_place) AS holder;
      RETURN;
    END IF;
  END IF;
  -- Partitions that had rows before they were attached.
  FOR attached IN
    SELECT change -> 'partition' ->> 'schema' AS schema_name, change -> 'partition' ->> 'table' AS table_name,
      life.from_place
    FROM audit.life(source, named_schema, named_table, until, before_place) AS life
    CROSS JOIN LATERAL jsonb_array_elements(life.detail -> 'changes') AS told (change)
    WHERE change ->> 'change' = 'partition attached'
  LOOP
    SELECT * INTO part FROM audit.partition_since(
      source, audit.partition_name(attached.schema_name, attached.table_name), named_schema, named_table,
      attached.from_place, until, before_place);
    CONTINUE WHEN NOT part.is_there;
    RETURN QUERY SELECT holder.*, part.schema_name, part.table_name
      FROM audit.holder(source, part.schema_name, part.table_name, key, until, before_place) AS holder;
    EXIT WHEN FOUND;
  END LOOP;
END
$$;
COMMENT ON FUNCTION audit.holder_anywhere(text, text, text, jsonb, timestamptz, bigint[]) IS
  'What audit.holder says of a record, in whichever partition it is by then: one that was detached or dropped has taken it '
  'away, one that was attached has brought it. With the table or partition that it is told of.';

-- Of an earlier version, without sources: beside the functions of today, a call with two arguments would be ambiguous.
DROP FUNCTION IF EXISTS audit.history(text, jsonb), audit.row_as_of(text, jsonb, timestamptz);

CREATE OR REPLACE FUNCTION audit.last_showing(
  source text, named_schema text, named_table text, at timestamptz, OUT until timestamptz, OUT before_place bigint[]
)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  longest CONSTANT interval := '1 day';
  last_place bigint[];
  first_later bigint[];
BEGIN
  until := at;
  before_place := ARRAY[9223372036854775807];
  SELECT min(audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence)) INTO first_later
  FROM audit.events AS event
  WHERE event.table_name = named_table AND event.schema_name = named_schema AND event.source_id = source
    AND event.committed_at > at AND event.committed_at <= at + longest
    -- Baselines are dated by another clock, and stand before what was committed while they were read.
    AND event.operation <> 'baseline';
  IF first_later IS NULL THEN
    RETURN;
  END IF;
  SELECT max(audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence)) INTO last_place
  FROM audit.events AS event
  WHERE event.table_name = named_table AND event.schema_name = named_schema AND event.source_id = source
    AND event.committed_at <= at AND event.committed_at > at - longest AND event.operation <> 'baseline';
  IF last_place > first_later THEN
    until := at + longest;
    before_place := last_place || 0::bigint;
  END IF;
END
$$;
COMMENT ON FUNCTION audit.last_showing(text, text, text, timestamptz) IS
  'Which events of a table had happened at a time: those until a time and before a place. A clock that is set back shows a '
  'time more than once. The last time counts, so what came before in the stream had happened, whenever it is dated; up to a day ahead.';
