-- What readers are told of a record.

CREATE OR REPLACE FUNCTION audit.referring(source text, named_schema text, named_table text, key jsonb)
RETURNS TABLE (committed_at timestamptz, event_id uuid)
LANGUAGE sql
STABLE
ROWS 50
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT event.committed_at, event.event_id
  FROM (
    SELECT DISTINCT ON (shaped.schema_name, shaped.table_name)
      shaped.schema_name, shaped.table_name, shaped.after -> 'foreign_keys' AS foreign_keys
    FROM audit.events AS shaped
    WHERE shaped.operation = 'schema' AND shaped.source_id = source
    ORDER BY shaped.schema_name, shaped.table_name,
      audit.place(shaped.stream_order, shaped.committed_at, shaped.transaction_id, shaped.sequence) DESC
  ) AS child
  CROSS JOIN LATERAL jsonb_array_elements(child.foreign_keys) AS listed (reference)
  CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(part.name, key -> part.referenced) AS image, bool_and(key ? part.referenced) AS is_whole
    FROM ROWS FROM (
      jsonb_array_elements_text(reference -> 'columns'),
      jsonb_array_elements_text(reference -> 'referenced_columns')
    ) AS part (name, referenced)
  ) AS wanted
  JOIN audit.events AS event
    ON event.table_name = child.table_name AND event.schema_name = child.schema_name
  WHERE reference ->> 'schema' = named_schema AND reference ->> 'table' = named_table AND wanted.is_whole
    AND event.source_id = source AND event.operation IN ('insert', 'update', 'delete', 'baseline')
    AND (event.after @> wanted.image OR event.before @> wanted.image
      OR event.before_patches IS NOT NULL AND audit.old_values(event) @> wanted.image)
$$;
COMMENT ON FUNCTION audit.referring(text, text, text, jsonb) IS
  'The events of records whose foreign keys named a record, before or after. Reads every event of those tables.';

CREATE OR REPLACE FUNCTION audit.record_at_end(
  "table" text, key jsonb, source text,
  OUT of_source text, OUT last_schema text, OUT last_table text, OUT last_key jsonb, OUT end_place bigint[]
)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  named record;
  asked_shape jsonb;
  last_shape jsonb;
BEGIN
  SELECT * INTO named FROM audit.table_name("table");
  of_source := audit.source_of(named.schema_name, named.table_name, key, source);
  SELECT final.last_schema, final.last_table, final.end_place INTO last_schema, last_table, end_place
  FROM audit.name_at_end(of_source, named.schema_name, named.table_name) AS final;
  SELECT life.shape INTO last_shape
  FROM audit.life(of_source, last_schema, last_table, 'infinity', end_place) AS life LIMIT 1;
  -- The key is given as the table of the name had it, when it last bore the name.
  SELECT life.shape INTO asked_shape
  FROM audit.life(of_source, last_schema, last_table, 'infinity', end_place) AS life
  WHERE life.schema_name = named.schema_name AND life.table_name = named.table_name LIMIT 1;
  PERFORM audit.check_key("table", key, asked_shape);
  last_key := coalesce(audit.key_in(last_shape, asked_shape, key), key);
END
$$;
COMMENT ON FUNCTION audit.record_at_end(text, jsonb, text) IS
  'How a record that is asked for by any name of its table is called at the end of the log: source, table and key.';

CREATE OR REPLACE FUNCTION audit.record_lines(
  of_source text, last_schema text, last_table text, last_key jsonb, end_place bigint[], related boolean,
  most integer DEFAULT NULL, newer audit.events DEFAULT NULL
)
RETURNS TABLE (line audit.log, place bigint[], moved_from uuid, next_key jsonb, is_related boolean)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
-- In plpgsql, so that a session plans it once. A time stands in the detail of a load.
SET timezone = 'UTC'
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH found AS (
    SELECT *, false AS is_related
    FROM audit.path(of_source, last_schema, last_table, last_key, end_place, most, newer)
    UNION ALL
    SELECT referring.committed_at, referring.event_id, NULL, NULL, NULL, NULL, NULL, true
    FROM audit.referring(of_source, last_schema, last_table, last_key) AS referring
    WHERE related
  )
  SELECT
    ROW(log."time", log.actor, log.request,
      CASE WHEN gone.event_id IS NULL THEN log.operation ELSE 'update' END,
      log."schema", log."table", coalesce(found.ended_key, log.key),
      CASE WHEN gone.event_id IS NULL THEN log.changes ELSE difference.changes END,
      CASE WHEN gone.event_id IS NULL THEN log.before ELSE difference.before END,
      log.after, log.transaction, log.sequence, log.context,
      CASE WHEN found.ended_key IS NULL THEN log.detail ELSE log.detail || jsonb_build_object(
        'reason', 'not there any more when the table was loaded again', 'last_seen', found.last_seen) END,
      log.unknown_columns, log.untyped_columns,
      log.source, log.position, log.event_id, log.captured_at, log.transformed_at, log.stored_at, log.stream_order,
      log.partition)::audit.log,
    coalesce(found.after_place, audit.place(log.stream_order, log."time", log.transaction, log.sequence)),
    found.moved_from, found.next_key, found.is_related
  FROM found
  JOIN audit.log ON log."time" = found.committed_at AND log.event_id = found.event_id
  LEFT JOIN audit.events AS gone ON gone.committed_at = found.committed_at AND gone.event_id = found.moved_from
  LEFT JOIN LATERAL (
    SELECT coalesce(jsonb_object_agg(name, jsonb_build_object('old', old.value, 'new', log.after -> name)), '{}')
        AS changes,
      coalesce(jsonb_object_agg(name, old.value), '{}') AS before
    FROM jsonb_each(gone.before) AS old (name, value)
    WHERE old.value <> log.after -> name
  ) AS difference ON gone.event_id IS NOT NULL;
END
$$;
COMMENT ON FUNCTION audit.record_lines(text, text, text, jsonb, bigint[], boolean, integer, audit.events) IS
  'The lines of audit.history for a record as audit.record_at_end names it, in no order, each with its place; at most so '
  'many, and from an event on that was told before.';

CREATE OR REPLACE FUNCTION audit.history(
  "table" text, key jsonb, source text DEFAULT NULL, related boolean DEFAULT false
)
RETURNS SETOF audit.log
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  final record;
BEGIN
  SELECT * INTO final FROM audit.record_at_end($1, $2, $3);
  RETURN QUERY
    SELECT (told.line).*
    FROM audit.record_lines(
      final.of_source, final.last_schema, final.last_table, final.last_key, final.end_place, $4) AS told
    ORDER BY told.place;
END
$$;
COMMENT ON FUNCTION audit.history(text, jsonb, text, boolean) IS
  'Everything that happened to a record, in the order of the stream: audit.history(''shop.orders'', ''{"id": 42}''). By '
  'any name that its table had, through changes of its key; the key is written as the table had it under that name. A row '
  'that moved between partitions shows as one update. A record that a full load did not find any more ends with a line of '
  'operation load, right after its last event. Related: also the events of records whose foreign keys name it.';
