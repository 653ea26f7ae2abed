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

-- Of earlier versions, which read every event of a record at once.
DROP FUNCTION IF EXISTS
  audit.touches(text, text, text, jsonb, bigint[], bigint[]),
  audit.touches(text, text, text, text, jsonb, bigint[], bigint[]);

CREATE OR REPLACE FUNCTION audit.touches(
  source text, named_schema text, named_table text, partition text, key jsonb, from_place bigint[],
  before_place bigint[], most integer DEFAULT NULL
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
      (
        SELECT event.* FROM audit.events AS event
        WHERE event.table_name = named_table AND event.record_key = key AND event.schema_name = named_schema
          AND event.operation IN ('insert', 'update', 'delete', 'baseline') AND event.source_id = source
          AND (partition IS NULL OR event.partition_name = partition)
          AND event.stream_order <= before_place[1]
          AND event.stream_order >= coalesce(from_place[1], -9223372036854775808)
          AND audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence) < before_place
          AND audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence) >= from_place
        ORDER BY event.stream_order DESC, event.transaction_id DESC NULLS LAST, event.sequence DESC
        LIMIT most
      )
      UNION ALL
      -- Events of versions that did not note the order.
      (
        SELECT event.* FROM audit.events AS event
        WHERE event.table_name = named_table AND event.record_key = key AND event.schema_name = named_schema
          AND event.operation IN ('insert', 'update', 'delete', 'baseline') AND event.source_id = source
          AND (partition IS NULL OR event.partition_name = partition)
          AND event.stream_order IS NULL
          AND audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence) < before_place
          AND audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence) >= from_place
        ORDER BY event.committed_at DESC, event.transaction_id DESC NULLS LAST, event.sequence DESC
        LIMIT most
      )
      UNION ALL
      (
        SELECT event.* FROM audit.events AS event
        WHERE event.table_name = named_table AND audit.previous_key(event.record_key, event.before) = key
          AND event.schema_name = named_schema AND event.operation = 'update' AND event.source_id = source
          AND (partition IS NULL OR event.partition_name = partition)
          AND NOT (event.record_key || event.before) @> event.record_key
          AND audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence) < before_place
          AND audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence) >= from_place
        ORDER BY audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence) DESC
        LIMIT most
      )
    ) AS touch
    ORDER BY audit.place(touch.stream_order, touch.committed_at, touch.transaction_id, touch.sequence) DESC
    LIMIT most;
END
$$;
COMMENT ON FUNCTION audit.touches(text, text, text, text, jsonb, bigint[], bigint[], integer) IS
  'The events between two places that gave a key to a record, changed a record under it, or took it away; newest first, '
  'at most so many. Of one partition, or of all for null.';

-- Of an earlier version, which always went to the beginning of a record.
DROP FUNCTION IF EXISTS audit.path(text, text, text, jsonb, bigint[]);

CREATE OR REPLACE FUNCTION audit.path(
  source text, named_schema text, named_table text, key jsonb, end_place bigint[],
  most integer DEFAULT NULL, newer audit.events DEFAULT NULL
)
RETURNS TABLE (
  committed_at timestamptz, event_id uuid, moved_from uuid, ended_key jsonb, after_place bigint[], last_seen timestamptz,
  next_key jsonb
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
  version_key jsonb;
  version_name text[];
  -- Since where the key is known in the newer shape, and the first version that has no such key.
  known_since bigint[] := end_place;
  below record;
  below_since bigint[];
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
  -- How many touches are read at once, and how many of them came.
  batch integer := least(most + 1, 200);
  came integer;
  told integer := 0;
BEGIN
  -- A walk that goes on below an event which it told of before.
  follower := newer;
  later := newer;
  begun := coalesce(newer.operation = 'insert', false);
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
    IF NOT is_first THEN
      version_key := coalesce(
        audit.key_in(version.shape, newer_shape, path_key),
        audit.key_of_image(version.shape, newer_shape, coalesce(audit.old_row(later), later.after)));
      IF version_key IS NULL THEN
        IF below_since IS DISTINCT FROM known_since THEN
          below := version;
          below_since := known_since;
        END IF;
        version_key := audit.key_by_image(source, version.stored_schema, version.stored_table, version.partition,
          version.shape, version.from_place, version.to_place, newer_shape, path_key, below.schema_name, below.table_name,
          below.shape, known_since, 'infinity');
        CONTINUE WHEN version_key IS NULL;
      END IF;
      path_key := version_key;
    END IF;
    is_first := false;
    newer_shape := version.shape;
    known_since := version.from_place;
    version_name := ARRAY[[version.stored_schema, version.stored_table, version.partition, version.from_place::text,
      CASE WHEN cardinality(keys) > 0 THEN version.to_place::text END,
      CASE WHEN version.partition IS NULL THEN version.shape ->> 'relation' END]];
    names := names || version_name;
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
      came := 0;
      FOR touch IN
        SELECT * FROM audit.touches(
          source, version.stored_schema, version.stored_table, version.partition, path_key, version.from_place,
          least(bound, version.to_place), batch)
      LOOP
        came := came + 1;
        bound := audit.place(touch.stream_order, touch.committed_at, touch.transaction_id, touch.sequence);
        ended_by := NULL;
        IF touch.event_id = last_holder.event_id THEN
          ended_by := final.ended_by;
        ELSIF touch.record_key = path_key AND touch.operation <> 'delete'
          -- Anything else that follows shows that the record went on.
          AND (follower.event_id IS NULL OR follower.operation IN ('insert', 'baseline')
            OR follower.record_key = path_key
              -- Nearly all updates leave the key alone, which this tells without a call.
              AND NOT (follower.record_key || follower.before) @> follower.record_key
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
        SELECT touch.committed_at, touch.event_id, move.event_id,
          CASE
            WHEN touch.operation <> 'update' THEN path_key
            WHEN (touch.record_key || touch.before) @> touch.record_key THEN touch.record_key
            ELSE audit.previous_key(touch.record_key, touch.before)
          END
        INTO committed_at, event_id, moved_from, next_key;
        RETURN NEXT;
        told := told + 1;
        EXIT versions WHEN told >= most;
        later := touch;
        -- A record of the same key may have been deleted before it was inserted.
        begun := touch.operation = 'insert' AND move.event_id IS NULL;
        IF move.event_id IS NOT NULL THEN
          later := move;
          path_key := move.record_key;
          names := names || version_name;
          keys := keys || path_key;
          bound := audit.place(move.stream_order, move.committed_at, move.transaction_id, move.sequence);
          turned := true;
        ELSIF touch.operation = 'update' AND touch.record_key = path_key
          AND NOT (touch.record_key || touch.before) @> touch.record_key THEN
          path_key := audit.previous_key(touch.record_key, touch.before);
          names := names || version_name;
          keys := keys || path_key;
          turned := true;
        END IF;
        EXIT WHEN turned;
      END LOOP;
      EXIT WHEN NOT turned AND (batch IS NULL OR came < batch);
    END LOOP;
  END LOOP;
END
$$;
COMMENT ON FUNCTION audit.path(text, text, text, jsonb, bigint[], integer, audit.events) IS
  'The events of one record, newest first, through changes of its key and of its table''s name and shape; at most so many, '
  'and from an event on that was told before. An insert that '
  'moved it between partitions names the delete that belongs to it. A load that shows that the record had ended stands after '
  'its last event, with the key and the time of that.';
