-- When tables were loaded, and what that tells of records. A full load reads every row of a table. A record that was
-- there before, and that the load did not read, had ended without an event: its end was in a gap of the stream.

CREATE OR REPLACE FUNCTION audit.captured(event audit.events)
RETURNS timestamptz
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
RETURN coalesce((event).captured_at, (event).committed_at);
COMMENT ON FUNCTION audit.captured(audit.events) IS
  'When an event was captured: the clock that the times of loads are on, while committed_at is on that of the source.';

CREATE OR REPLACE FUNCTION audit.loads_since(
  source text, named_schema text, named_table text, after_time timestamptz
)
RETURNS TABLE (
  load audit.events, started_at timestamptz, loaded_rows bigint, before_time timestamptz, next_started_at timestamptz
)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT known.event, known.started_at, known.loaded_rows,
      least(audit.captured(known.event), known.ended_at + interval '1 minute', lead(known.started_at) OVER loads),
      lead(known.started_at) OVER loads
    FROM (
      SELECT DISTINCT ON (said.started_at) event, said.*
      FROM audit.events AS event
      CROSS JOIN LATERAL (
        SELECT (event.context ->> 'started_at')::timestamptz AS started_at,
          (event.context ->> 'ended_at')::timestamptz AS ended_at, (event.context ->> 'rows')::bigint AS loaded_rows
      ) AS said
      WHERE event.operation = 'load' AND event.table_name = named_table AND event.schema_name = named_schema
        AND event.source_id = source AND said.started_at > after_time
        -- Leaves partitions of the log out. The clocks of source and capture may differ, but by no day.
        AND event.committed_at > after_time - interval '1 day'
      ORDER BY said.started_at, event.committed_at
    ) AS known
    WINDOW loads AS (ORDER BY known.started_at)
    ORDER BY known.started_at;
END
$$;
COMMENT ON FUNCTION audit.loads_since(text, text, text, timestamptz) IS
  'The full loads of a table that began after a time, in their order. Baselines of a load were captured from its beginning '
  'until before before_time.';

CREATE OR REPLACE FUNCTION audit.baselines_between(
  source text, named_schema text, named_table text, partition text, from_time timestamptz, before_time timestamptz
)
RETURNS bigint
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  -- One without a key tells of no record. A baseline's committed_at is when it was captured.
  SELECT count(*)
  FROM audit.events AS event
  WHERE event.committed_at >= from_time AND event.committed_at < before_time AND event.operation = 'baseline'
    AND event.table_name = named_table AND event.schema_name = named_schema AND event.source_id = source
    AND event.record_key IS NOT NULL AND (partition IS NULL OR event.partition_name = partition)
$$;
COMMENT ON FUNCTION audit.baselines_between(text, text, text, text, timestamptz, timestamptz) IS
  'How many rows of a table, or of one partition of it, were read by a full load and are in the log.';

CREATE OR REPLACE FUNCTION audit.is_passed_on(
  source text, named_schema text, named_table text, relation text, touch audit.events, after_place bigint[]
)
RETURNS boolean
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
  RETURN EXISTS (
    SELECT FROM audit.events AS taken
    WHERE taken.operation = 'schema' AND taken.table_name = named_table AND taken.schema_name = named_schema
      AND taken.source_id = source
      -- Under another name more may have happened, even if the table came back. What a load read is sent under the old one.
      AND CASE taken.context ->> 'reason' WHEN 'drop' THEN touch.operation <> 'baseline'
        ELSE taken.after ->> 'relation' <> relation END
      AND audit.place(taken.stream_order, taken.committed_at, taken.transaction_id, taken.sequence) > after_place
      AND audit.place(taken.stream_order, taken.committed_at, taken.transaction_id, taken.sequence)
        < audit.place(touch.stream_order, touch.committed_at, touch.transaction_id, touch.sequence)
  );
END
$$;
COMMENT ON FUNCTION audit.is_passed_on(text, text, text, text, audit.events, bigint[]) IS
  'Whether a touch under a name is not the next one of the table that bore the name at a place: the table left the name, or '
  'one of another oid took it, in between.';

CREATE OR REPLACE FUNCTION audit.next_touch(
  source text, names text[], keys jsonb[], after_place bigint[]
)
RETURNS SETOF audit.events
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  candidate audit.events;
  nearest audit.events;
  lower bigint[];
  upper bigint[];
BEGIN
  FOR named IN 1..cardinality(keys) LOOP
    lower := greatest(after_place, names[named][4]::bigint[]);
    upper := coalesce(names[named][5]::bigint[], ARRAY[9223372036854775807]);
    SELECT touch.* INTO candidate
    FROM (
      (
        SELECT event.* FROM audit.events AS event
        WHERE event.table_name = names[named][2] AND event.record_key = keys[named]
          AND event.schema_name = names[named][1] AND event.source_id = source
          AND (names[named][3] IS NULL OR event.partition_name = names[named][3])
          AND event.stream_order >= lower[1]
          AND audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence) > lower
          AND audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence) < upper
        ORDER BY event.stream_order, event.transaction_id NULLS FIRST, event.sequence
        LIMIT 1
      )
      UNION ALL
      (
        SELECT event.* FROM audit.events AS event
        WHERE event.table_name = names[named][2] AND event.record_key = keys[named]
          AND event.schema_name = names[named][1] AND event.source_id = source
          AND (names[named][3] IS NULL OR event.partition_name = names[named][3])
          AND event.stream_order IS NULL
          AND audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence) > lower
          AND audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence) < upper
        ORDER BY event.committed_at, event.transaction_id NULLS FIRST, event.sequence
        LIMIT 1
      )
      UNION ALL
      (
        SELECT event.* FROM audit.events AS event
        WHERE event.table_name = names[named][2]
          AND audit.previous_key(event.record_key, event.before) = keys[named]
          AND event.schema_name = names[named][1] AND event.source_id = source AND event.operation = 'update'
          AND (names[named][3] IS NULL OR event.partition_name = names[named][3])
          AND NOT (event.record_key || event.before) @> event.record_key
          AND audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence) > lower
          AND audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence) < upper
        ORDER BY audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence)
        LIMIT 1
      )
    ) AS touch
    ORDER BY audit.place(touch.stream_order, touch.committed_at, touch.transaction_id, touch.sequence)
    LIMIT 1;
    IF names[named][5] IS NULL
      AND audit.is_passed_on(source, names[named][1], names[named][2], names[named][6], candidate, lower) THEN
      candidate := NULL;
    END IF;
    IF candidate.event_id IS NOT NULL AND (nearest.event_id IS NULL
      OR audit.place(candidate.stream_order, candidate.committed_at, candidate.transaction_id, candidate.sequence)
        < audit.place(nearest.stream_order, nearest.committed_at, nearest.transaction_id, nearest.sequence)) THEN
      nearest := candidate;
    END IF;
  END LOOP;
  IF nearest.event_id IS NOT NULL THEN
    RETURN NEXT nearest;
  END IF;
END
$$;
COMMENT ON FUNCTION audit.next_touch(text, text[], jsonb[], bigint[]) IS
  'The first event after a place that gave a key to a record, changed the record under it, or took it from it. Names are '
  'schema, table and partition, null for all of them, each with the key of the record under it, the places between which it '
  'was the table''s, and the table''s oid, which tells until when where the second place is null.';

CREATE OR REPLACE FUNCTION audit.ended_before(
  held audit.events, next audit.events, keys jsonb[], before_time timestamptz, next_started_at timestamptz
)
RETURNS boolean
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE
    WHEN next.event_id IS NULL THEN true
    -- What comes after the table's next load says nothing of this one.
    WHEN audit.captured(next) >= next_started_at THEN true
    -- The load read it, or the load of the partition that it was in by then.
    WHEN next.operation = 'baseline' THEN
      audit.captured(next) >= before_time AND next.partition_name IS NOT DISTINCT FROM held.partition_name
    WHEN next.operation = 'insert' THEN true
    -- Took the key from another record.
    WHEN next.operation = 'update' THEN
      next.record_key = ANY (keys) AND audit.previous_key(next.record_key, next.before) <> ALL (keys)
    -- Deleted beside the load, before that came to it.
    ELSE false
  END
$$;
COMMENT ON FUNCTION audit.ended_before(audit.events, audit.events, jsonb[], timestamptz, timestamptz) IS
  'Whether a record had ended before a load that began after its event, as the next event of its key tells.';

CREATE OR REPLACE FUNCTION audit.load_doubt(
  held audit.events, load audit.events, started_at timestamptz, finding text
)
RETURNS jsonb
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
-- Times stand in JSON.
SET timezone = 'UTC'
AS $$
  SELECT jsonb_build_object('since', held.committed_at, 'until', started_at, 'reason',
    format('%I.%I was loaded at %s, and %s', load.schema_name, load.table_name,
      to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), finding))
$$;
COMMENT ON FUNCTION audit.load_doubt(audit.events, audit.events, timestamptz, text) IS
  'What a load makes uncertain of a record between its event and the beginning of the load.';

-- Its former form did not say whose loads count.
DROP FUNCTION IF EXISTS audit.fate(text, text[], jsonb[], audit.events, audit.events, timestamptz);
CREATE OR REPLACE FUNCTION audit.fate(
  source text, names text[], keys jsonb[], loads text[], held audit.events, newest audit.events, until timestamptz,
  OUT ended_by audit.events, OUT doubt jsonb
)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  part record;
  load record;
  next audit.events;
  looked boolean := false;
  found_rows bigint;
  last_name CONSTANT integer := array_length(names, 1);
  counted text[] := loads;
BEGIN
  IF held.partition_name IS NOT NULL THEN
    SELECT * INTO part FROM audit.table_name(held.partition_name);
    counted := counted || ARRAY[[
      part.schema_name, part.table_name, names[last_name][1], names[last_name][2], held.partition_name, '-infinity',
      'infinity']];
  END IF;
  FOR named IN 1..array_length(counted, 1) LOOP
    FOR load IN
      SELECT * FROM audit.loads_since(source, counted[named][1], counted[named][2], audit.captured(held))
    LOOP
      -- Of another table that bore the name.
      CONTINUE WHEN load.started_at < counted[named][6]::timestamptz
        OR load.started_at >= counted[named][7]::timestamptz;
      IF NOT looked THEN
        SELECT * INTO next FROM audit.next_touch(source, names, keys,
          audit.place(newest.stream_order, newest.committed_at, newest.transaction_id, newest.sequence));
        looked := true;
      END IF;
      -- The record went on in the stream before the load, so the load is not about this event.
      EXIT WHEN audit.captured(next) < load.started_at;
      IF NOT audit.ended_before(held, next, keys, load.before_time, load.next_started_at) THEN
        IF next.operation = 'baseline' AND NOT audit.agree(held.after, next.after) THEN
          doubt := audit.load_doubt(held, load.load, load.started_at,
            'the record was read with other values: changes of it may be missing');
        END IF;
        RETURN;
      END IF;
      found_rows := audit.baselines_between(
        source, counted[named][3], counted[named][4], counted[named][5], load.started_at, load.before_time);
      IF found_rows < load.loaded_rows THEN
        doubt := audit.load_doubt(held, load.load, load.started_at, format(
          'only %s of the %s rows that were read are in the log, without this record: whether it was there is not known',
          found_rows, load.loaded_rows));
        CONTINUE;
      END IF;
      doubt := audit.load_doubt(held, load.load, load.started_at,
        'the record was not there any more: when it ended is not known, and changes of it may be missing');
      IF load.started_at <= until THEN
        ended_by := load.load;
      END IF;
      RETURN;
    END LOOP;
  END LOOP;
END
$$;
COMMENT ON FUNCTION audit.fate(text, text[], jsonb[], text[], audit.events, audit.events, timestamptz) IS
  'What loads tell of the record that an event left: the load that shows that it had ended, if that began until a time; '
  'and what they make uncertain, {"since", "until", "reason"}. The newest event is that after which nothing touched the key: '
  'another one when it only lent the key. Names and keys as for audit.next_touch. Loads are the tables whose loads count, '
  'each with the schema, table and partition that its rows stand under, and the times between which it bore the name.';
