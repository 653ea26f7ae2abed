-- The functions that look events up are in PL/pgSQL, which keeps their plans: planning for every partition would take
-- longer than the look-up.
-- Which event says what a record was at a time. The stream's order decides what came last; time is what people ask by.

CREATE OR REPLACE FUNCTION audit.agree(image jsonb, other jsonb)
RETURNS boolean
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT (image || other) = (other || image)
$$;
COMMENT ON FUNCTION audit.agree(jsonb, jsonb) IS 'Whether two images say the same of every column that both know.';

CREATE OR REPLACE FUNCTION audit.old_row(event audit.events)
RETURNS jsonb
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE event.operation
    WHEN 'update' THEN (event.after - coalesce(event.unknown_columns, '{}')
      -- A patch that does not fit leaves an unknown value.
      - ARRAY(SELECT jsonb_object_keys(event.before_patches))) || audit.old_values(event)
    WHEN 'delete' THEN event.before
  END
$$;
COMMENT ON FUNCTION audit.old_row(audit.events) IS
  'What is known of the row before an update or delete; null for other events.';

-- Its former form, like those of the next ones, told no partitions apart.
DROP FUNCTION IF EXISTS audit.newest_touch(text, text, text, jsonb, bigint[], timestamptz);
CREATE OR REPLACE FUNCTION audit.newest_touch(
  source text, named_schema text, named_table text, partition text, key jsonb, before_place bigint[], until timestamptz
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
          AND event.source_id = source AND event.committed_at <= until
          AND (partition IS NULL OR event.partition_name = partition)
          AND event.stream_order <= before_place[1]
          AND audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence) < before_place
        ORDER BY event.stream_order DESC, event.transaction_id DESC NULLS LAST, event.sequence DESC
        LIMIT 1
      )
      UNION ALL
      -- Events of versions that did not note the order are older than all others.
      (
        SELECT event.* FROM audit.events AS event
        WHERE event.table_name = named_table AND event.record_key = key AND event.schema_name = named_schema
          AND event.source_id = source AND event.committed_at <= until
          AND (partition IS NULL OR event.partition_name = partition)
          AND event.stream_order IS NULL
          AND audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence) < before_place
        ORDER BY event.committed_at DESC, event.transaction_id DESC NULLS LAST, event.sequence DESC
        LIMIT 1
      )
      UNION ALL
      (
        SELECT event.* FROM audit.events AS event
        WHERE event.table_name = named_table AND audit.previous_key(event.record_key, event.before) = key
          AND event.schema_name = named_schema AND event.operation = 'update'
          AND NOT (event.record_key || event.before) @> event.record_key
          AND event.source_id = source AND event.committed_at <= until
          AND (partition IS NULL OR event.partition_name = partition)
          AND audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence) < before_place
        ORDER BY audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence) DESC
        LIMIT 1
      )
    ) AS touch
    ORDER BY audit.place(touch.stream_order, touch.committed_at, touch.transaction_id, touch.sequence) DESC
    LIMIT 1;
END
$$;
COMMENT ON FUNCTION audit.newest_touch(text, text, text, text, jsonb, bigint[], timestamptz) IS
  'The last event before a place that gave a key to a record, changed the record under it, or took it from it; of one '
  'partition, or of all for null.';

DROP FUNCTION IF EXISTS audit.holder_within(text, text, text, jsonb, audit.events);
CREATE OR REPLACE FUNCTION audit.holder_within(
  source text, named_schema text, named_table text, partition text, key jsonb, last audit.events
)
RETURNS TABLE (held audit.events, look_before bigint[])
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  touch audit.events;
  holders audit.events[] := '{}';
  first_place bigint[];
  old_image jsonb;
  match integer;
  earlier_left boolean := false;
  last_place bigint[] := audit.place(last.stream_order, last.committed_at, last.transaction_id, last.sequence);
BEGIN
  -- Keys may move over each other within a transaction, so for a moment two records bear one key. An event that takes a
  -- record away is about the one whose image agrees with the event's old row.
  FOR touch IN
    SELECT event.* FROM audit.events AS event
    WHERE event.transaction_id = last.transaction_id AND event.committed_at = last.committed_at
      AND event.source_id = source AND event.table_name = named_table AND event.schema_name = named_schema
      AND event.operation IN ('insert', 'update', 'delete')
      AND (partition IS NULL OR event.partition_name = partition)
      AND (event.record_key = key
        OR event.operation = 'update' AND audit.previous_key(event.record_key, event.before) = key)
      AND audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence) <= last_place
    ORDER BY event.sequence
  LOOP
    first_place := coalesce(
      first_place, audit.place(touch.stream_order, touch.committed_at, touch.transaction_id, touch.sequence));
    old_image := audit.old_row(touch);
    IF touch.operation = 'delete'
      OR touch.operation = 'update' AND audit.previous_key(touch.record_key, touch.before) = key THEN
      SELECT max(place) INTO match
      FROM generate_subscripts(holders, 1) AS place
      WHERE audit.agree((holders[place]).after, old_image);
      IF match IS NULL THEN
        earlier_left := true;
      ELSE
        holders := holders[:match - 1] || holders[match + 1:];
      END IF;
    END IF;
    IF touch.operation <> 'delete' AND touch.record_key = key THEN
      holders := holders || touch;
    END IF;
  END LOOP;
  IF cardinality(holders) > 0 THEN
    held := holders[cardinality(holders)];
    RETURN NEXT;
  ELSIF NOT earlier_left THEN
    look_before := first_place;
    RETURN NEXT;
  END IF;
END
$$;
COMMENT ON FUNCTION audit.holder_within(text, text, text, text, jsonb, audit.events) IS
  'The record that bears a key after the last event of a transaction that touched it: the event that says what it is '
  'then; or the place to look before, when the transaction only lent the key; no row when nobody bears it.';

CREATE OR REPLACE FUNCTION audit.emptied_since(
  source text, named_schema text, named_table text, after_place bigint[], until timestamptz,
  before_place bigint[] DEFAULT ARRAY[9223372036854775807]
)
RETURNS boolean
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
  RETURN EXISTS (
    SELECT FROM audit.events AS truncation
    WHERE truncation.table_name = named_table AND truncation.record_key IS NULL
      AND truncation.schema_name = named_schema AND truncation.operation = 'truncate'
      AND truncation.source_id = source AND truncation.committed_at <= until
      AND audit.place(
          truncation.stream_order, truncation.committed_at, truncation.transaction_id, truncation.sequence)
        > after_place
      AND audit.place(
          truncation.stream_order, truncation.committed_at, truncation.transaction_id, truncation.sequence)
        < before_place
  );
END
$$;
COMMENT ON FUNCTION audit.emptied_since(text, text, text, bigint[], timestamptz, bigint[]) IS
  'Whether a table or partition was truncated between two places.';

-- Their former forms took the key of the last record, which may have ended.
DROP FUNCTION IF EXISTS audit.key_by_image(text, text, text, jsonb, jsonb, jsonb, bigint[], bigint[], timestamptz),
  audit.key_by_image(text, text, text, text, jsonb, jsonb, jsonb, bigint[], bigint[], timestamptz);
CREATE OR REPLACE FUNCTION audit.key_by_image(
  source text, stored_schema text, stored_table text, partition text, shape jsonb, from_place bigint[], to_place bigint[],
  newer_shape jsonb, newer_key jsonb, last_schema text, last_table text, last_shape jsonb, end_place bigint[],
  until timestamptz
)
RETURNS jsonb
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  image jsonb;
  candidate record;
  final record;
BEGIN
  SELECT jsonb_object_agg(old_name, audit.value_as(given.value, audit.column_type(shape, old_name))) INTO image
  FROM jsonb_each(newer_key) AS given (name, value)
  CROSS JOIN LATERAL audit.column_of(shape, newer_shape, given.name) AS mapped (old_name)
  WHERE old_name IS NOT NULL;
  FOR candidate IN
    SELECT * FROM (
      SELECT DISTINCT ON (event.record_key) event.record_key AS key, coalesce(event.after, event.before) AS image,
        audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence) AS place
      FROM audit.events AS event
      WHERE event.table_name = stored_table AND event.schema_name = stored_schema
        AND event.record_key IS NOT NULL AND (partition IS NULL OR event.partition_name = partition)
        AND event.source_id = source AND event.committed_at <= until
        AND (event.after @> image OR event.before @> image
          OR event.before_patches IS NOT NULL AND audit.old_values(event) @> image)
        AND audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence) >= from_place
        AND audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence) < to_place
      ORDER BY event.record_key,
        audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence) DESC
    ) AS found
    ORDER BY place DESC
  LOOP
    SELECT * INTO final FROM audit.holder(source, last_schema, last_table,
      coalesce(audit.key_in(last_shape, shape, candidate.key), audit.key_of_image(last_shape, shape, candidate.image)),
      until, end_place);
    IF FOUND AND audit.key_of_image(newer_shape, final.shape, (final.held).after) = newer_key THEN
      RETURN candidate.key;
    END IF;
  END LOOP;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION audit.key_by_image(
  text, text, text, text, jsonb, bigint[], bigint[], jsonb, jsonb, text, text, jsonb, bigint[], timestamptz
) IS
  'The key in an older shape of the record that had a key when the key got other columns, at the end place; the last name and '
  'shape are those that the table had until then. Null when no event between the places tells of it. Reads every event of '
  'the table there.';

-- Its former form knew no place to look before.
DROP FUNCTION IF EXISTS audit.holder(text, text, text, jsonb, timestamptz);
CREATE OR REPLACE FUNCTION audit.holder(
  source text, named_schema text, named_table text, key jsonb, until timestamptz,
  before_place bigint[] DEFAULT ARRAY[9223372036854775807]
)
RETURNS TABLE (
  held audit.events, version_place bigint[], shape jsonb, newest_shape jsonb, ended_by audit.events, doubt jsonb,
  partition text
)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
SET datestyle = 'ISO'
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  version record;
  version_key jsonb;
  -- The key, in the shape in which it is known, and since where; then the first version that has no such key.
  known_key jsonb := key;
  known_shape jsonb;
  known_since bigint[] := before_place;
  below record;
  below_since bigint[];
  searched text[];
  last audit.events;
  newest audit.events;
  last_place bigint[];
  within record;
  fate record;
  newer_names text[] := '{}';
  known_names text[] := '{}';
  known_keys jsonb[] := '{}';
  known_loads text[] := '{}';
  ended timestamptz := 'infinity';
BEGIN
  FOR version IN SELECT * FROM audit.life(source, named_schema, named_table, until, before_place) LOOP
    IF newer_names = '{}' THEN
      newest_shape := version.shape;
      known_shape := version.shape;
    END IF;
    -- With the places between which it bore the name: others may have borne it before.
    newer_names := newer_names
      || ARRAY[[version.schema_name, version.table_name, version.from_place::text, version.to_place::text]];
    known_loads := known_loads || ARRAY[[
      version.schema_name, version.table_name, version.stored_schema, version.stored_table, version.partition,
      coalesce(version.since, '-infinity')::text, ended::text]];
    ended := coalesce(version.since, ended);
    version_key := audit.key_in(version.shape, known_shape, known_key);
    IF version_key IS NULL THEN
      IF below_since IS DISTINCT FROM known_since THEN
        below := version;
        below_since := known_since;
      END IF;
      version_key := audit.key_by_image(source, version.stored_schema, version.stored_table, version.partition,
        version.shape, version.from_place, version.to_place, known_shape, known_key, below.schema_name, below.table_name,
        below.shape, known_since, until);
      CONTINUE WHEN version_key IS NULL;
      known_key := version_key;
      known_shape := version.shape;
    END IF;
    known_since := version.from_place;
    known_names := known_names || ARRAY[[version.stored_schema, version.stored_table, version.partition,
      version.from_place::text, CASE WHEN cardinality(known_keys) > 0 THEN version.to_place::text END,
      CASE WHEN version.partition IS NULL THEN version.shape ->> 'relation' END]];
    known_keys := known_keys || version_key;
    -- Versions that differ in nothing that matters here are searched at once.
    IF searched IS DISTINCT FROM
      ARRAY[version.stored_schema, version.stored_table, version.partition, version_key::text] THEN
      SELECT * INTO last FROM audit.newest_touch(source, version.stored_schema, version.stored_table,
        version.partition, version_key, version.to_place, until);
      searched := ARRAY[version.stored_schema, version.stored_table, version.partition, version_key::text];
      IF newest.event_id IS NULL THEN
        newest := last;
      END IF;
    END IF;
    LOOP
      EXIT WHEN last.event_id IS NULL;
      last_place := audit.place(last.stream_order, last.committed_at, last.transaction_id, last.sequence);
      EXIT WHEN last_place < version.from_place;
      IF last.operation <> 'delete' AND last.record_key = version_key THEN
        held := last;
      ELSE
        held := NULL;
        within := NULL;
        SELECT * INTO within FROM audit.holder_within(
          source, version.stored_schema, version.stored_table, version.partition, version_key, last);
        IF NOT FOUND THEN
          RETURN;
        END IF;
        IF within.look_before IS NOT NULL THEN
          SELECT * INTO last FROM audit.newest_touch(source, version.stored_schema, version.stored_table,
            version.partition, version_key, within.look_before, until);
          CONTINUE;
        END IF;
        held := within.held;
      END IF;
      last_place := audit.place(held.stream_order, held.committed_at, held.transaction_id, held.sequence);
      IF held.partition_name IS NOT NULL THEN
        SELECT newer_names || ARRAY[[part.schema_name, part.table_name, '{}', before_place::text]] INTO newer_names
        FROM audit.table_name(held.partition_name) AS part;
      END IF;
      FOR named IN 1..array_length(newer_names, 1) LOOP
        IF audit.emptied_since(source, newer_names[named][1], newer_names[named][2],
          greatest(last_place, newer_names[named][3]::bigint[]), until, newer_names[named][4]::bigint[]) THEN
          RETURN;
        END IF;
      END LOOP;
      SELECT * INTO fate FROM audit.fate(source, known_names, known_keys, known_loads, held, newest, until);
      ended_by := fate.ended_by;
      doubt := fate.doubt;
      version_place := version.from_place;
      shape := version.shape;
      partition := version.partition;
      RETURN NEXT;
      RETURN;
    END LOOP;
  END LOOP;
END
$$;
COMMENT ON FUNCTION audit.holder(text, text, text, jsonb, timestamptz, bigint[]) IS
  'The event that says what the record with a key was at a time and before a place, its table''s shape then, and the shape '
  'at the time asked for. No row when there was none. A load that shows that it had ended by then, and what loads make '
  'uncertain: see audit.fate. The partition is that whose name was asked for, as it was called then.';
