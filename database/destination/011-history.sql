-- Everything that happened to a record.

CREATE OR REPLACE FUNCTION audit.name_at_end(
  source text, named_schema text, named_table text,
  OUT last_schema text, OUT last_table text, OUT end_place bigint[]
)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  event audit.events;
  taken jsonb;
BEGIN
  last_schema := named_schema;
  last_table := named_table;
  end_place := ARRAY[9223372036854775807];
  FOR hop IN 1..100 LOOP
    SELECT candidate.* INTO event FROM audit.events AS candidate
    WHERE candidate.operation = 'schema' AND candidate.table_name = last_table AND candidate.schema_name = last_schema
      AND candidate.source_id = source
      AND audit.place(candidate.stream_order, candidate.committed_at, candidate.transaction_id, candidate.sequence)
        < end_place
    ORDER BY
      audit.place(candidate.stream_order, candidate.committed_at, candidate.transaction_id, candidate.sequence) DESC
    LIMIT 1;
    IF NOT FOUND OR event.context ->> 'reason' <> 'drop' THEN
      RETURN;
    END IF;
    taken := audit.renamed_to(event);
    IF taken IS NULL THEN
      end_place := audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence);
      RETURN;
    END IF;
    last_schema := taken ->> 'schema';
    last_table := taken ->> 'table';
  END LOOP;
END
$$;
COMMENT ON FUNCTION audit.name_at_end(text, text, text) IS
  'What a table that bore a name is called now; or was called when it was dropped, and the place of that.';

CREATE OR REPLACE FUNCTION audit.moved_from(event audit.events)
RETURNS SETOF audit.events
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT gone.*
    FROM audit.events AS gone
    WHERE event.operation = 'insert' AND event.partition_name IS NOT NULL AND event.sequence > 1 AND gone.transaction_id = event.transaction_id AND gone.committed_at = event.committed_at
      AND gone.source_id = event.source_id AND gone.sequence = event.sequence - 1 AND gone.operation = 'delete'
      AND gone.table_name = event.table_name AND gone.schema_name = event.schema_name
      AND gone.partition_name <> event.partition_name
      -- One record: at least a part of the key stayed.
      AND EXISTS (SELECT jsonb_each(gone.record_key) INTERSECT SELECT jsonb_each(event.record_key));
END
$$;
COMMENT ON FUNCTION audit.moved_from(audit.events) IS
  'The delete that stands before an insert because the row moved to another partition; no row when it did not.';

-- Its former form told no partitions apart.
DROP FUNCTION IF EXISTS audit.touches(text, text, text, jsonb, bigint[], bigint[]);
CREATE OR REPLACE FUNCTION audit.touches(
  source text, named_schema text, named_table text, partition text, key jsonb, from_place bigint[],
  before_place bigint[]
)
RETURNS SETOF audit.events
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT touch.*
    FROM (
      SELECT event.* FROM audit.events AS event
      WHERE event.table_name = named_table AND event.record_key = key AND event.schema_name = named_schema
        AND event.operation IN ('insert', 'update', 'delete', 'baseline')
      UNION ALL
      SELECT event.* FROM audit.events AS event
      WHERE event.table_name = named_table AND audit.previous_key(event.record_key, event.before) = key
        AND event.schema_name = named_schema AND event.operation = 'update'
        AND NOT (event.record_key || event.before) @> event.record_key
    ) AS touch
    CROSS JOIN LATERAL (
      SELECT audit.place(touch.stream_order, touch.committed_at, touch.transaction_id, touch.sequence) AS place
    ) AS stands
    WHERE touch.source_id = source AND stands.place >= from_place AND stands.place < before_place
      AND (partition IS NULL OR touch.partition_name = partition)
    ORDER BY stands.place DESC;
END
$$;
COMMENT ON FUNCTION audit.touches(text, text, text, text, jsonb, bigint[], bigint[]) IS
  'The events between two places that gave a key to a record, changed a record under it, or took it away; newest first. Of '
  'one partition, or of all for null.';

CREATE OR REPLACE FUNCTION audit.path(
  source text, named_schema text, named_table text, key jsonb, end_place bigint[]
)
RETURNS TABLE (
  committed_at timestamptz, event_id uuid, moved_from uuid, ended_key jsonb, after_place bigint[], last_seen timestamptz
)
LANGUAGE plpgsql
STABLE
-- So that the planner looks each event up, however small the log: from its default of 1000 rows it would read the log.
ROWS 50
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  version record;
  touch audit.events;
  move audit.events;
  later audit.events;
  path_key jsonb := key;
  final record;
  bound bigint[] := end_place;
  names text[] := '{}';
  keys jsonb[] := '{}';
  loads text[] := '{}';
  ended timestamptz := 'infinity';
  follower audit.events;
  ended_by audit.events;
  last_holder audit.events;
  newer_shape jsonb;
  is_first boolean := true;
  begun boolean := false;
  was_swapped boolean := false;
  turned boolean;
BEGIN
  IF end_place = ARRAY[9223372036854775807] THEN
    SELECT * INTO final FROM audit.holder(source, named_schema, named_table, key, 'infinity');
    IF FOUND THEN
      -- Behind that event stand those that took the key from others within its transaction.
      bound := audit.place((final.held).stream_order, (final.held).committed_at, (final.held).transaction_id,
        (final.held).sequence) || 0::bigint;
      last_holder := final.held;
    END IF;
  END IF;
  <<versions>>
  FOR version IN SELECT * FROM audit.life(source, named_schema, named_table, 'infinity', end_place, true) LOOP
    path_key := CASE WHEN is_first THEN path_key ELSE coalesce(
      audit.key_in(version.shape, newer_shape, path_key),
      audit.key_of_image(version.shape, newer_shape, coalesce(audit.old_row(later), later.after)),
      audit.key_by_image(source, version.stored_schema, version.stored_table, version.partition, version.shape,
        newer_shape, path_key, version.from_place, version.to_place, 'infinity')) END;
    EXIT WHEN path_key IS NULL;
    is_first := false;
    newer_shape := version.shape;
    names := names || ARRAY[[version.stored_schema, version.stored_table, version.partition]];
    keys := keys || path_key;
    IF version.swapped AND NOT was_swapped THEN
      ended := 'infinity';
    END IF;
    loads := loads || ARRAY[[
      version.schema_name, version.table_name, version.stored_schema, version.stored_table, version.partition,
      coalesce(version.since, '-infinity')::text, ended::text]];
    ended := coalesce(version.since, ended);
    IF version.swapped AND NOT was_swapped THEN
      -- The same record in the table that bore the name before.
      was_swapped := true;
      begun := false;
      bound := version.to_place;
    END IF;
    LOOP
      turned := false;
      FOR touch IN
        SELECT * FROM audit.touches(
          source, version.stored_schema, version.stored_table, version.partition, path_key, version.from_place,
          least(bound, version.to_place))
      LOOP
        bound := audit.place(touch.stream_order, touch.committed_at, touch.transaction_id, touch.sequence);
        ended_by := NULL;
        IF touch.event_id = last_holder.event_id THEN
          ended_by := final.ended_by;
        ELSIF touch.record_key = path_key AND touch.operation <> 'delete'
          -- Anything else that follows shows that the record went on.
          AND (follower.event_id IS NULL OR follower.operation IN ('insert', 'baseline')
            OR follower.record_key = path_key
              AND audit.previous_key(follower.record_key, follower.before) <> path_key) THEN
          SELECT (fate.ended_by).* INTO ended_by
          FROM audit.fate(source, names, keys, loads, touch, touch, 'infinity') AS fate;
        END IF;
        follower := touch;
        IF touch.record_key IS DISTINCT FROM path_key THEN
          -- Took the key from another record, unless the record asked for is the one that left it.
          EXIT versions WHEN begun;
          CONTINUE WHEN later.event_id IS NOT NULL;
        ELSIF touch.transaction_id = later.transaction_id AND touch.committed_at = later.committed_at
          AND touch.after IS NOT NULL AND NOT audit.agree(touch.after, audit.old_row(later)) THEN
          -- Another record that bore the key within the same transaction.
          CONTINUE;
        ELSE
          EXIT versions WHEN begun AND touch.operation <> 'delete' AND ended_by.event_id IS NULL;
        END IF;
        IF ended_by.event_id IS NOT NULL THEN
          SELECT ended_by.committed_at, ended_by.event_id, NULL, path_key, bound || 0::bigint, touch.committed_at
          INTO committed_at, event_id, moved_from, ended_key, after_place, last_seen;
          RETURN NEXT;
          SELECT NULL, NULL, NULL INTO ended_key, after_place, last_seen;
        END IF;
        move := NULL;
        IF touch.operation = 'insert' AND touch.partition_name IS NOT NULL THEN
          SELECT * INTO move FROM audit.moved_from(touch);
        END IF;
        SELECT touch.committed_at, touch.event_id, move.event_id INTO committed_at, event_id, moved_from;
        RETURN NEXT;
        later := touch;
        -- A record of the same key may have been deleted before it was inserted.
        begun := touch.operation = 'insert' AND move.event_id IS NULL;
        IF move.event_id IS NOT NULL THEN
          later := move;
          path_key := move.record_key;
          names := names || ARRAY[[version.stored_schema, version.stored_table, version.partition]];
          keys := keys || path_key;
          bound := audit.place(move.stream_order, move.committed_at, move.transaction_id, move.sequence);
          turned := true;
        ELSIF touch.operation = 'update' AND touch.record_key = path_key
          AND NOT (touch.record_key || touch.before) @> touch.record_key THEN
          path_key := audit.previous_key(touch.record_key, touch.before);
          names := names || ARRAY[[version.stored_schema, version.stored_table, version.partition]];
          keys := keys || path_key;
          turned := true;
        END IF;
        EXIT WHEN turned;
      END LOOP;
      EXIT WHEN NOT turned;
    END LOOP;
  END LOOP;
END
$$;
COMMENT ON FUNCTION audit.path(text, text, text, jsonb, bigint[]) IS
  'The events of one record, newest first, through changes of its key and of its table''s name and shape. An insert that '
  'moved it between partitions names the delete that belongs to it. A load that shows that the record had ended stands after '
  'its last event, with the key and the time of that.';

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
    AND (event.after @> wanted.image OR event.before @> wanted.image)
$$;
COMMENT ON FUNCTION audit.referring(text, text, text, jsonb) IS
  'The events of records whose foreign keys named a record, before or after. Reads every event of those tables.';

CREATE OR REPLACE FUNCTION audit.history(
  "table" text, key jsonb, source text DEFAULT NULL, related boolean DEFAULT false
)
RETURNS SETOF audit.log
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- A time stands in the detail of a load.
SET timezone = 'UTC'
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  named record;
  final record;
  of_source text;
  asked_shape jsonb;
  final_shape jsonb;
  final_key jsonb;
BEGIN
  SELECT * INTO named FROM audit.table_name($1);
  of_source := audit.source_of(named.schema_name, named.table_name, $2, $3);
  SELECT * INTO final FROM audit.name_at_end(of_source, named.schema_name, named.table_name);
  SELECT life.shape INTO final_shape
  FROM audit.life(of_source, final.last_schema, final.last_table, 'infinity', final.end_place) AS life LIMIT 1;
  -- The key is given as the table of the name had it, when it last bore the name.
  SELECT life.shape INTO asked_shape
  FROM audit.life(of_source, final.last_schema, final.last_table, 'infinity', final.end_place) AS life
  WHERE life.schema_name = named.schema_name AND life.table_name = named.table_name LIMIT 1;
  PERFORM audit.check_key($1, $2, asked_shape);
  final_key := coalesce(audit.key_in(final_shape, asked_shape, $2), $2);
  RETURN QUERY
  WITH path AS (
    SELECT * FROM audit.path(of_source, final.last_schema, final.last_table, final_key, final.end_place)
  ), found AS (
    SELECT path.* FROM path
    UNION ALL
    SELECT referring.committed_at, referring.event_id, NULL, NULL, NULL, NULL
    FROM audit.referring(of_source, final.last_schema, final.last_table, final_key) AS referring
    WHERE $4
  )
  SELECT log."time", log.actor, log.request,
    CASE WHEN gone.event_id IS NULL THEN log.operation ELSE 'update' END,
    log."schema", log."table", coalesce(found.ended_key, log.key),
    CASE WHEN gone.event_id IS NULL THEN log.changes ELSE difference.changes END,
    CASE WHEN gone.event_id IS NULL THEN log.before ELSE difference.before END,
    log.after, log.transaction, log.sequence, log.context,
    CASE WHEN found.ended_key IS NULL THEN log.detail ELSE log.detail || jsonb_build_object(
      'reason', 'not there any more when the table was loaded again', 'last_seen', found.last_seen) END,
    log.unknown_columns, log.untyped_columns,
    log.source, log.position, log.event_id, log.captured_at, log.transformed_at, log.stored_at, log.stream_order,
    log.partition
  FROM found
  JOIN audit.log ON log."time" = found.committed_at AND log.event_id = found.event_id
  LEFT JOIN audit.events AS gone ON gone.committed_at = found.committed_at AND gone.event_id = found.moved_from
  LEFT JOIN LATERAL (
    SELECT coalesce(jsonb_object_agg(name, jsonb_build_object('old', old.value, 'new', log.after -> name)), '{}')
        AS changes,
      coalesce(jsonb_object_agg(name, old.value), '{}') AS before
    FROM jsonb_each(gone.before) AS old (name, value)
    WHERE old.value <> log.after -> name
  ) AS difference ON gone.event_id IS NOT NULL
  ORDER BY coalesce(
    found.after_place, audit.place(log.stream_order, log."time", log.transaction, log.sequence));
END
$$;
COMMENT ON FUNCTION audit.history(text, jsonb, text, boolean) IS
  'Everything that happened to a record, in the order of the stream: audit.history(''shop.orders'', ''{"id": 42}''). By '
  'any name that its table had, through changes of its key; the key is written as the table had it under that name. A row '
  'that moved between partitions shows as one update. A record that a full load did not find any more ends with a line of '
  'operation load, right after its last event. Related: also the events of records whose foreign keys name it.';
