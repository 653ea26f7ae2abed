-- What happened to a record, and what it was at a time. The stream's order decides what came last; time is what people
-- ask by.

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
    WHEN 'update' THEN (event.after - coalesce(event.unknown_columns, '{}')) || event.before
    WHEN 'delete' THEN event.before
  END
$$;
COMMENT ON FUNCTION audit.old_row(audit.events) IS
  'What is known of the row before an update or delete; null for other events.';

CREATE OR REPLACE FUNCTION audit.newest_touch(
  source text, named_schema text, named_table text, key jsonb, before_place bigint[], until timestamptz
)
RETURNS SETOF audit.events
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT touch.*
  FROM (
    (
      SELECT event.* FROM audit.events AS event
      WHERE event.table_name = named_table AND event.record_key = key AND event.schema_name = named_schema
        AND event.source_id = source AND event.committed_at <= until
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
        AND audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence) < before_place
      ORDER BY audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence) DESC
      LIMIT 1
    )
  ) AS touch
  ORDER BY audit.place(touch.stream_order, touch.committed_at, touch.transaction_id, touch.sequence) DESC
  LIMIT 1
$$;
COMMENT ON FUNCTION audit.newest_touch(text, text, text, jsonb, bigint[], timestamptz) IS
  'The last event before a place that gave a key to a record, changed the record under it, or took it from it.';

CREATE OR REPLACE FUNCTION audit.holder_within(
  source text, named_schema text, named_table text, key jsonb, last audit.events
)
RETURNS TABLE (held audit.events, look_before bigint[])
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
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
COMMENT ON FUNCTION audit.holder_within(text, text, text, jsonb, audit.events) IS
  'The record that bears a key after the last event of a transaction that touched it: the event that says what it is '
  'then; or the place to look before, when the transaction only lent the key; no row when nobody bears it.';

CREATE OR REPLACE FUNCTION audit.emptied_since(
  source text, named_schema text, named_table text, after_place bigint[], until timestamptz
)
RETURNS boolean
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (
    SELECT FROM audit.events AS truncation
    WHERE truncation.table_name = named_table AND truncation.record_key IS NULL
      AND truncation.schema_name = named_schema AND truncation.operation = 'truncate'
      AND truncation.source_id = source AND truncation.committed_at <= until
      AND audit.place(
          truncation.stream_order, truncation.committed_at, truncation.transaction_id, truncation.sequence)
        > after_place
  )
$$;
COMMENT ON FUNCTION audit.emptied_since(text, text, text, bigint[], timestamptz) IS
  'Whether a table or partition was truncated after a place.';

CREATE OR REPLACE FUNCTION audit.key_by_image(
  source text, named_schema text, named_table text, shape jsonb, newer_shape jsonb, newer_key jsonb,
  from_place bigint[], to_place bigint[], until timestamptz
)
RETURNS jsonb
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN event.operation = 'delete' OR event.record_key IS NULL THEN NULL ELSE event.record_key END
  FROM (
    SELECT jsonb_object_agg(old_name, audit.value_as(given.value, audit.column_type(shape, old_name))) AS image
    FROM jsonb_each(newer_key) AS given (name, value)
    CROSS JOIN LATERAL audit.column_of(shape, newer_shape, given.name) AS mapped (old_name)
    WHERE old_name IS NOT NULL
  ) AS wanted
  CROSS JOIN LATERAL (
    SELECT * FROM audit.events AS candidate
    WHERE candidate.table_name = named_table AND candidate.schema_name = named_schema
      AND candidate.record_key IS NOT NULL
      AND candidate.source_id = source AND candidate.committed_at <= until
      AND (candidate.after @> wanted.image OR candidate.before @> wanted.image)
      AND audit.place(
        candidate.stream_order, candidate.committed_at, candidate.transaction_id, candidate.sequence) >= from_place
      AND audit.place(
        candidate.stream_order, candidate.committed_at, candidate.transaction_id, candidate.sequence) < to_place
    ORDER BY audit.place(candidate.stream_order, candidate.committed_at, candidate.transaction_id, candidate.sequence)
      DESC
    LIMIT 1
  ) AS event
$$;
COMMENT ON FUNCTION audit.key_by_image(text, text, text, jsonb, jsonb, jsonb, bigint[], bigint[], timestamptz) IS
  'The key that a record had in an older shape, found by its columns of today. Reads every event of the table there: '
  'only for a key that was made of other columns then.';

CREATE OR REPLACE FUNCTION audit.holder(
  source text, named_schema text, named_table text, key jsonb, until timestamptz
)
RETURNS TABLE (held audit.events, version_place bigint[], shape jsonb, newest_shape jsonb)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  version record;
  version_key jsonb;
  searched text[];
  last audit.events;
  last_place bigint[];
  within record;
  newer_names text[][] := '{}';
BEGIN
  FOR version IN SELECT * FROM audit.life(source, named_schema, named_table, until) LOOP
    IF newer_names = '{}' THEN
      newest_shape := version.shape;
    END IF;
    newer_names := newer_names || ARRAY[[version.schema_name, version.table_name]];
    version_key := audit.key_in(version.shape, newest_shape, key);
    IF version_key IS NULL THEN
      version_key := audit.key_by_image(source, version.schema_name, version.table_name, version.shape, newest_shape,
        key, version.from_place, version.to_place, until);
      CONTINUE WHEN version_key IS NULL;
    END IF;
    -- Versions that differ in nothing that matters here are searched at once.
    IF searched IS DISTINCT FROM ARRAY[version.schema_name, version.table_name, version_key::text] THEN
      SELECT * INTO last FROM audit.newest_touch(
        source, version.schema_name, version.table_name, version_key, version.to_place, until);
      searched := ARRAY[version.schema_name, version.table_name, version_key::text];
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
        SELECT * INTO within
        FROM audit.holder_within(source, version.schema_name, version.table_name, version_key, last);
        IF NOT FOUND THEN
          RETURN;
        END IF;
        IF within.look_before IS NOT NULL THEN
          SELECT * INTO last FROM audit.newest_touch(
            source, version.schema_name, version.table_name, version_key, within.look_before, until);
          CONTINUE;
        END IF;
        held := within.held;
      END IF;
      last_place := audit.place(held.stream_order, held.committed_at, held.transaction_id, held.sequence);
      IF held.partition_name IS NOT NULL THEN
        SELECT newer_names || ARRAY[[part.schema_name, part.table_name]] INTO newer_names
        FROM audit.table_name(held.partition_name) AS part;
      END IF;
      FOR named IN 1..array_length(newer_names, 1) LOOP
        IF audit.emptied_since(source, newer_names[named][1], newer_names[named][2], last_place, until) THEN
          RETURN;
        END IF;
      END LOOP;
      version_place := version.from_place;
      shape := version.shape;
      RETURN NEXT;
      RETURN;
    END LOOP;
  END LOOP;
END
$$;
COMMENT ON FUNCTION audit.holder(text, text, text, jsonb, timestamptz) IS
  'The event that says what the record with a key was at a time, its table''s shape then, and the shape at the time asked '
  'for. No row when there was none.';

CREATE OR REPLACE FUNCTION audit.reshaping(
  source text, named_schema text, named_table text, until timestamptz, then_place bigint[], then_shape jsonb,
  newest_shape jsonb
)
RETURNS jsonb
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  entry record;
  version record;
  older_shape jsonb;
  older_name text;
  alike boolean;
  step jsonb;
  steps jsonb := '{}';
BEGIN
  IF newest_shape IS NOT DISTINCT FROM then_shape OR then_shape IS NULL OR newest_shape IS NULL THEN
    RETURN NULL;
  END IF;
  FOR entry IN
    SELECT listed.entry ->> 'name' AS name, listed.entry ->> 'type' AS type
    FROM jsonb_array_elements(newest_shape -> 'columns') AS listed (entry)
    WHERE listed.entry ->> 'generated' IS DISTINCT FROM 'virtual'
  LOOP
    steps := steps || jsonb_build_object(entry.name, jsonb_build_object(
      'from', audit.column_of(then_shape, newest_shape, entry.name), 'type', entry.type));
  END LOOP;
  older_shape := then_shape;
  FOR version IN
    SELECT life.* FROM audit.life(source, named_schema, named_table, until) AS life
    WHERE life.from_place > then_place AND life.shape IS NOT NULL
    ORDER BY life.from_place
  LOOP
    FOR entry IN
      SELECT step.name, audit.column_of(version.shape, newest_shape, step.name) AS newer_name
      FROM jsonb_object_keys(steps) AS step (name)
    LOOP
      CONTINUE WHEN entry.newer_name IS NULL;
      older_name := audit.column_of(older_shape, version.shape, entry.newer_name);
      step := NULL;
      IF older_name IS NULL THEN
        step := CASE WHEN version.detail -> 'added' ? entry.newer_name
          THEN jsonb_build_object('value', version.detail -> 'added' -> entry.newer_name)
          ELSE jsonb_build_object('unknown', jsonb_build_object(
            'since', version.since, 'reason', 'added by ' || coalesce(version.detail ->> 'command', 'DDL')))
        END;
      ELSE
        alike := audit.column_type(older_shape, older_name) = audit.column_type(version.shape, entry.newer_name);
        IF NOT alike AND NOT coalesce(
            NOT (version.detail -> 'rewritten')::boolean,
            audit.column_type(older_shape, older_name) IN ('text', 'character varying')
              AND audit.column_type(version.shape, entry.newer_name) IN ('text', 'character varying'))
          -- A rewrite that shows in no type may have given any column another value.
          OR alike AND coalesce((version.detail -> 'rewritten')::boolean, false)
            AND version.shape -> 'columns' = older_shape -> 'columns' AND NOT version.shape -> 'key' ? entry.newer_name
        THEN
          step := jsonb_build_object('unknown', jsonb_build_object(
            'since', version.since, 'reason', 'rewritten by ' || coalesce(version.detail ->> 'command', 'DDL')));
        END IF;
      END IF;
      IF step IS NOT NULL THEN
        steps := steps || jsonb_build_object(entry.name, step);
      END IF;
    END LOOP;
    older_shape := version.shape;
  END LOOP;
  RETURN steps;
END
$$;
COMMENT ON FUNCTION audit.reshaping(text, text, text, timestamptz, bigint[], jsonb, jsonb) IS
  'How rows of an older shape read in a newer one, by column: {"from", "type"} for what stayed, {"value"} for what DDL '
  'gave, {"unknown": {"since", "reason"}} for what it made unknown. Null when nothing changed.';

CREATE OR REPLACE FUNCTION audit.reshaped(held audit.events, steps jsonb, OUT "row" jsonb, OUT unknown jsonb)
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT
    CASE WHEN steps IS NULL THEN held.after ELSE coalesce((
      SELECT jsonb_object_agg(name,
        CASE WHEN step ? 'value' THEN step -> 'value'
          ELSE audit.value_as(held.after -> (step ->> 'from'), step ->> 'type') END)
      FROM jsonb_each(steps) AS listed (name, step)
      WHERE step ? 'value' OR step ? 'from' AND held.after ? (step ->> 'from')
    ), '{}') END,
    coalesce((
      SELECT jsonb_object_agg(name, why)
      FROM (
        SELECT name, coalesce(step -> 'unknown', jsonb_build_object(
          'since', held.committed_at, 'reason', 'the stream did not carry it')) AS why
        FROM jsonb_each(steps) AS listed (name, step)
        WHERE NOT step ? 'value' AND NOT coalesce(step ? 'from' AND held.after ? (step ->> 'from'), false)
        UNION ALL
        SELECT name, jsonb_build_object('since', held.committed_at, 'reason', 'the stream did not carry it')
        FROM unnest(held.unknown_columns) AS listed (name)
        WHERE steps IS NULL AND NOT held.after ? name
      ) AS missing
    ), '{}')
$$;
COMMENT ON FUNCTION audit.reshaped(audit.events, jsonb) IS
  'The row that an event left, as audit.reshaping says that it reads later; and which columns of it are unknown since '
  'when, and why.';

CREATE OR REPLACE FUNCTION audit.source_of(named_schema text, named_table text, key jsonb, wanted text)
RETURNS text
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  sources text[];
  alike text;
BEGIN
  SELECT array_agg(DISTINCT event.source_id ORDER BY event.source_id) INTO sources
  FROM audit.events AS event
  WHERE event.operation = 'schema' AND event.table_name = named_table AND event.schema_name = named_schema;
  IF sources IS NULL AND key IS NOT NULL THEN
    -- Of an undescribed table, or of one that an earlier version described.
    SELECT array_agg(DISTINCT event.source_id ORDER BY event.source_id) INTO sources
    FROM audit.events AS event
    WHERE event.table_name = named_table AND event.record_key = key AND event.schema_name = named_schema;
  END IF;
  IF sources IS NULL THEN
    SELECT array_agg(event.source_id) INTO sources
    FROM (
      SELECT source_id FROM audit.events
      WHERE table_name = named_table AND schema_name = named_schema LIMIT 1
    ) AS event;
  END IF;
  IF sources IS NULL THEN
    SELECT string_agg(format('%I.%I', listed.schema_name, listed.table_name), ', ') INTO alike
    FROM (
      SELECT event.schema_name, event.table_name
      FROM audit.events AS event
      WHERE event.operation = 'schema' AND event.context ->> 'reason' <> 'drop'
      GROUP BY event.schema_name, event.table_name
      ORDER BY event.table_name <> named_table, event.schema_name <> named_schema, event.schema_name, event.table_name
      LIMIT 20
    ) AS listed;
    RAISE EXCEPTION 'the log knows no table %', format('%I.%I', named_schema, named_table)
      USING ERRCODE = 'undefined_table',
        HINT = 'Tables that it knows: ' || coalesce(alike, 'none') || '. Write schema.table; without a schema, public.';
  END IF;
  IF wanted IS NULL AND cardinality(sources) > 1 THEN
    RAISE EXCEPTION 'the sources % all have a table %', array_to_string(sources, ', '),
      format('%I.%I', named_schema, named_table)
      USING ERRCODE = 'ambiguous_parameter', HINT = format('Name one: source => %L.', sources[1]);
  END IF;
  IF wanted <> ALL (sources) THEN
    RAISE EXCEPTION 'the source % has no table %', wanted, format('%I.%I', named_schema, named_table)
      USING ERRCODE = 'undefined_table', HINT = 'Sources that have it: ' || array_to_string(sources, ', ') || '.';
  END IF;
  RETURN coalesce(wanted, sources[1]);
END
$$;
COMMENT ON FUNCTION audit.source_of(text, text, jsonb, text) IS
  'The source that a question about a table is about. Several that have the table, a source that has it not and a table '
  'that none has are refused with what there is.';

CREATE OR REPLACE FUNCTION audit.check_key("table" text, key jsonb, shape jsonb)
RETURNS void
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  expected text;
  wrong text;
BEGIN
  IF jsonb_typeof(key) IS DISTINCT FROM 'object' THEN
    RAISE EXCEPTION 'the key of a record is an object such as {"id": 42}, not %', coalesce(key::text, 'null')
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF shape IS NULL THEN
    RETURN;
  END IF;
  IF shape -> 'key' = '[]' THEN
    RAISE EXCEPTION '% has no key, so its records can''t be told apart', "table"
      USING ERRCODE = 'invalid_parameter_value',
        HINT = 'Ask audit.log for the events of the table, with a span of time.';
  END IF;
  SELECT '{' || string_agg(format('%s: %s', to_jsonb(part.name), audit.column_type(shape, part.name)), ', '
    ORDER BY part.ordinality) || '}'
  INTO expected
  FROM jsonb_array_elements_text(shape -> 'key') WITH ORDINALITY AS part (name, ordinality);
  SELECT string_agg(problem, '; ') INTO wrong
  FROM (
    SELECT 'it lacks ' || part.name AS problem
    FROM jsonb_array_elements_text(shape -> 'key') AS part (name) WHERE NOT key ? part.name
    UNION ALL
    SELECT given.name || ' is no key column' FROM jsonb_object_keys(key) AS given (name)
    WHERE NOT shape -> 'key' ? given.name
    UNION ALL
    SELECT CASE jsonb_typeof(given.value)
      WHEN 'string' THEN format('%s is the text %s, and the key holds numbers', given.name, given.value)
      ELSE format('%s is the number %s, and the key holds texts', given.name, given.value)
    END
    FROM jsonb_each(key) AS given (name, value)
    WHERE shape -> 'key' ? given.name AND audit.value_as(given.value, audit.column_type(shape, given.name)) <> given.value
  ) AS problems;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'the key % does not fit %: %', key, "table", wrong
      USING ERRCODE = 'invalid_parameter_value', HINT = 'The key is ' || expected || '.';
  END IF;
END
$$;
COMMENT ON FUNCTION audit.check_key(text, jsonb, jsonb) IS
  'Refuses a key that can name no record of a table, and says what the key is.';

CREATE OR REPLACE FUNCTION audit.row_as_of_explained(
  "table" text, key jsonb, "time" timestamptz DEFAULT now(), source text DEFAULT NULL
)
RETURNS TABLE ("row" jsonb, unknown jsonb)
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  named record;
  of_source text;
  kept record;
  newest jsonb;
BEGIN
  SELECT * INTO named FROM audit.table_name($1);
  of_source := audit.source_of(named.schema_name, named.table_name, $2, $4);
  SELECT life.shape INTO newest FROM audit.life(of_source, named.schema_name, named.table_name, $3) AS life LIMIT 1;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  PERFORM audit.check_key($1, $2, newest);
  SELECT * INTO kept FROM audit.holder(of_source, named.schema_name, named.table_name, $2, $3);
  IF NOT FOUND THEN
    RETURN;
  END IF;
  RETURN QUERY SELECT known."row", known.unknown
  FROM audit.reshaped(kept.held, audit.reshaping(
    of_source, named.schema_name, named.table_name, $3, kept.version_place, kept.shape, kept.newest_shape)) AS known;
END
$$;
COMMENT ON FUNCTION audit.row_as_of_explained(text, jsonb, timestamptz, text) IS
  'A record as it was at a time, and which of its columns are not known: {"column": {"since", "reason"}}. No row when the '
  'record did not exist then, or nothing is known of it yet.';

CREATE OR REPLACE FUNCTION audit.row_as_of(
  "table" text, key jsonb, "time" timestamptz DEFAULT now(), source text DEFAULT NULL
)
RETURNS jsonb
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT known."row" FROM audit.row_as_of_explained($1, $2, $3, $4) AS known
$$;
COMMENT ON FUNCTION audit.row_as_of(text, jsonb, timestamptz, text) IS
  'A record as it was at a time, by default now; null when it did not exist then or nothing is known of it yet. The table '
  'is named as it was called then. A column that is not known is left out: audit.row_as_of_explained says why.';

CREATE OR REPLACE FUNCTION audit.generations(
  source text, named_schema text, named_table text, until timestamptz
)
RETURNS TABLE (
  generation bigint, schema_name text, table_name text, from_place bigint[], to_place bigint[], shape jsonb,
  generation_shape jsonb, steps jsonb
)
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH versions AS (
    SELECT row_number() OVER () AS depth, life.*, first_value(life.shape) OVER () AS newest_shape
    FROM audit.life(source, named_schema, named_table, until) AS life
  ), marked AS (
    SELECT versions.*, lag(shape) OVER (ORDER BY depth) AS newer_shape
    FROM versions
  ), numbered AS (
    SELECT marked.*, sum(CASE
      WHEN newer_shape IS NULL OR shape IS NULL THEN 0
      -- The same columns make the key, whatever they are called.
      WHEN (
        SELECT array_agg(audit.column_of(shape, newer_shape, name) ORDER BY 1)
        FROM jsonb_array_elements_text(newer_shape -> 'key') AS part (name)
      ) IS NOT DISTINCT FROM (
        SELECT array_agg(name ORDER BY 1) FROM jsonb_array_elements_text(shape -> 'key') AS part (name)
      ) THEN 0
      ELSE 1
    END) OVER (ORDER BY depth) AS generation
    FROM marked
  )
  SELECT generation, schema_name, table_name, from_place, to_place, shape,
    first_value(shape) OVER (PARTITION BY generation ORDER BY depth),
    audit.reshaping(source, named_schema, named_table, until, from_place, shape, newest_shape)
  FROM numbered
$$;
COMMENT ON FUNCTION audit.generations(text, text, text, timestamptz) IS
  'The versions of a table as audit.life gives them, in generations whose keys are made of the same columns, the newest '
  'first; with the newest shape of each generation, and how rows of each version read at the time asked for.';

CREATE OR REPLACE FUNCTION audit.key_of_image(shape jsonb, image_shape jsonb, image jsonb)
RETURNS jsonb
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT jsonb_object_agg(name, audit.value_as(image -> audit.column_of(image_shape, shape, name),
    audit.column_type(shape, name)))
    FILTER (WHERE image ? audit.column_of(image_shape, shape, name))
  FROM jsonb_array_elements_text(shape -> 'key') AS part (name)
$$;
COMMENT ON FUNCTION audit.key_of_image(jsonb, jsonb, jsonb) IS
  'The key that a row of one shape has in another shape, as far as its image tells.';

CREATE OR REPLACE FUNCTION audit.table_as_of(
  "table" text, "time" timestamptz DEFAULT now(), source text DEFAULT NULL
)
RETURNS TABLE (key jsonb, "row" jsonb, unknown_columns text[])
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  named record;
  of_source text;
  newest jsonb;
BEGIN
  SELECT * INTO named FROM audit.table_name($1);
  of_source := audit.source_of(named.schema_name, named.table_name, NULL, $3);
  SELECT life.shape INTO newest FROM audit.life(of_source, named.schema_name, named.table_name, $2) AS life LIMIT 1;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  IF newest -> 'key' = '[]' THEN
    PERFORM audit.check_key($1, '{}', newest);
  END IF;
  RETURN QUERY
  WITH versions AS MATERIALIZED (
    SELECT * FROM audit.generations(of_source, named.schema_name, named.table_name, $2)
  ), touches AS MATERIALIZED (
    SELECT version.generation, version.shape, version.generation_shape, version.steps, touch.key AS own_key,
      CASE WHEN version.shape IS NOT DISTINCT FROM version.generation_shape THEN touch.key
        ELSE coalesce(audit.key_in(version.generation_shape, version.shape, touch.key), touch.key) END AS key,
      version.schema_name, version.table_name, event.committed_at, event.event_id, event.transaction_id,
      event.partition_name, place.place, touch.holds
    FROM versions AS version
    JOIN audit.events AS event
      ON event.table_name = version.table_name AND event.schema_name = version.schema_name
    CROSS JOIN LATERAL (
      SELECT audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence) AS place
    ) AS place
    CROSS JOIN LATERAL (
      SELECT event.record_key AS key, event.operation <> 'delete' AS holds
      UNION ALL
      SELECT audit.previous_key(event.record_key, event.before), false
      WHERE event.operation = 'update' AND NOT (event.record_key || event.before) @> event.record_key
    ) AS touch
    WHERE event.source_id = of_source AND event.committed_at <= $2
      AND event.record_key IS NOT NULL AND event.operation IN ('insert', 'update', 'delete', 'baseline')
      AND place.place >= version.from_place AND place.place < version.to_place
  ), last_touches AS (
    SELECT DISTINCT ON (touches.generation, touches.key) touches.*
    FROM touches
    ORDER BY touches.generation, touches.key, touches.place DESC
  ), holders AS (
    SELECT last_touches.generation, last_touches.key, last_touches.committed_at, last_touches.event_id
    FROM last_touches WHERE last_touches.holds
    UNION ALL
    -- A key that its last transaction both gave and took.
    SELECT doubtful.generation, doubtful.key, (holder.held).committed_at, (holder.held).event_id
    FROM (
      SELECT last_touches.* FROM last_touches
      WHERE NOT last_touches.holds AND EXISTS (
        SELECT FROM touches
        WHERE touches.generation = last_touches.generation AND touches.key = last_touches.key AND touches.holds
          AND touches.transaction_id = last_touches.transaction_id AND touches.committed_at = last_touches.committed_at
      )
    ) AS doubtful
    CROSS JOIN LATERAL audit.holder(
      of_source, doubtful.schema_name, doubtful.table_name, doubtful.own_key, doubtful.committed_at) AS holder
  ), emptied AS (
    SELECT emptied.schema_name, emptied.table_name, max(emptied.place) AS place
    FROM (
      SELECT truncation.schema_name, truncation.table_name,
        audit.place(truncation.stream_order, truncation.committed_at, truncation.transaction_id, truncation.sequence)
          AS place
      FROM audit.events AS truncation
      WHERE truncation.operation = 'truncate' AND truncation.record_key IS NULL AND truncation.source_id = of_source
        AND truncation.committed_at <= $2
        AND (truncation.schema_name, truncation.table_name) IN (
          SELECT versions.schema_name, versions.table_name FROM versions
          UNION
          SELECT part.schema_name, part.table_name
          FROM (SELECT DISTINCT partition_name FROM touches WHERE partition_name IS NOT NULL) AS leaf
          CROSS JOIN LATERAL audit.table_name(leaf.partition_name) AS part
        )
    ) AS emptied
    GROUP BY emptied.schema_name, emptied.table_name
  ), rows AS (
    SELECT holders.generation, holders.key AS generation_key, version.shape, version.steps, event AS held
    FROM holders
    JOIN audit.events AS event ON event.committed_at = holders.committed_at AND event.event_id = holders.event_id
    JOIN versions AS version
      ON version.generation = holders.generation AND version.schema_name = event.schema_name
      AND version.table_name = event.table_name
      AND audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence)
        >= version.from_place
      AND audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence)
        < version.to_place
    WHERE NOT EXISTS (
      SELECT FROM emptied
      LEFT JOIN LATERAL audit.table_name(event.partition_name) AS part ON event.partition_name IS NOT NULL
      WHERE emptied.place
          > audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence)
        AND (
          EXISTS (
            SELECT FROM versions
            WHERE versions.schema_name = emptied.schema_name AND versions.table_name = emptied.table_name
              AND emptied.place >= versions.from_place AND emptied.place < versions.to_place
          )
          OR (part.schema_name, part.table_name) = (emptied.schema_name, emptied.table_name)
        )
    )
  )
  SELECT coalesce(audit.key_of_image(newest, newest, known."row"), rows.generation_key), known."row",
    ARRAY(SELECT jsonb_object_keys(known.unknown) ORDER BY 1)
  FROM rows
  CROSS JOIN LATERAL audit.reshaped(rows.held, rows.steps) AS known
  WHERE rows.generation = 0 OR NOT EXISTS (
    -- Touched again since, under a key that is made of other columns.
    SELECT
    FROM (SELECT DISTINCT generation, generation_shape FROM versions) AS newer
    JOIN touches ON touches.generation = newer.generation
    WHERE newer.generation < rows.generation
      AND touches.key @> audit.key_of_image(newer.generation_shape, rows.shape, (rows.held).after)
  );
END
$$;
COMMENT ON FUNCTION audit.table_as_of(text, timestamptz, text) IS
  'Every row of a table as it was at a time, by default now, with the columns of each that are not known. Reads all '
  'events of the table: for a table of millions of events a matter of minutes.';

CREATE OR REPLACE FUNCTION audit.name_at_end(
  source text, named_schema text, named_table text,
  OUT last_schema text, OUT last_table text, OUT end_place bigint[]
)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
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
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT gone.*
  FROM audit.events AS gone
  WHERE event.sequence > 1 AND gone.transaction_id = event.transaction_id AND gone.committed_at = event.committed_at
    AND gone.source_id = event.source_id AND gone.sequence = event.sequence - 1 AND gone.operation = 'delete'
    AND gone.table_name = event.table_name AND gone.schema_name = event.schema_name
    AND gone.partition_name <> event.partition_name
    -- One record: at least a part of the key stayed.
    AND EXISTS (SELECT jsonb_each(gone.record_key) INTERSECT SELECT jsonb_each(event.record_key))
$$;
COMMENT ON FUNCTION audit.moved_from(audit.events) IS
  'The delete that stands before an insert because the row moved to another partition; no row when it did not.';

CREATE OR REPLACE FUNCTION audit.touches(
  source text, named_schema text, named_table text, key jsonb, from_place bigint[], before_place bigint[]
)
RETURNS SETOF audit.events
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
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
  ORDER BY stands.place DESC
$$;
COMMENT ON FUNCTION audit.touches(text, text, text, jsonb, bigint[], bigint[]) IS
  'The events between two places that gave a key to a record, changed a record under it, or took it away; newest first.';

CREATE OR REPLACE FUNCTION audit.path(
  source text, named_schema text, named_table text, key jsonb, end_place bigint[]
)
RETURNS TABLE (committed_at timestamptz, event_id uuid, moved_from uuid)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  version record;
  touch audit.events;
  move audit.events;
  later audit.events;
  path_key jsonb := key;
  bound bigint[] := end_place;
  newer_shape jsonb;
  is_first boolean := true;
  begun boolean := false;
  was_swapped boolean := false;
  turned boolean;
BEGIN
  -- Somebody bears the key: the events that took it from others come after.
  SELECT (holder.held).* INTO touch
  FROM audit.holder(source, named_schema, named_table, key, 'infinity') AS holder
  WHERE end_place = ARRAY[9223372036854775807];
  IF touch.event_id IS NOT NULL THEN
    bound := audit.place(touch.stream_order, touch.committed_at, touch.transaction_id, touch.sequence) || 0::bigint;
  END IF;
  FOR version IN SELECT * FROM audit.life(source, named_schema, named_table, 'infinity', end_place, true) LOOP
    IF NOT is_first THEN
      path_key := coalesce(
        audit.key_in(version.shape, newer_shape, path_key),
        audit.key_of_image(version.shape, newer_shape, coalesce(audit.old_row(later), later.after)),
        audit.key_by_image(source, version.schema_name, version.table_name, version.shape, newer_shape, path_key,
          version.from_place, version.to_place, 'infinity'));
      EXIT WHEN path_key IS NULL;
    END IF;
    is_first := false;
    newer_shape := version.shape;
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
          source, version.schema_name, version.table_name, path_key, version.from_place,
          least(bound, version.to_place))
      LOOP
        bound := audit.place(touch.stream_order, touch.committed_at, touch.transaction_id, touch.sequence);
        IF touch.record_key IS DISTINCT FROM path_key THEN
          -- Took the key from another record, unless the record asked for is the one that left it.
          CONTINUE WHEN later.event_id IS NOT NULL AND NOT begun;
          IF begun THEN
            RETURN;
          END IF;
        ELSIF touch.transaction_id = later.transaction_id AND touch.committed_at = later.committed_at
          AND touch.after IS NOT NULL AND NOT audit.agree(touch.after, audit.old_row(later)) THEN
          -- Another record that bore the key within the same transaction.
          CONTINUE;
        ELSIF begun AND touch.operation <> 'delete' THEN
          RETURN;
        END IF;
        begun := false;
        move := NULL;
        IF touch.operation = 'insert' AND touch.partition_name IS NOT NULL THEN
          SELECT * INTO move FROM audit.moved_from(touch);
        END IF;
        committed_at := touch.committed_at;
        event_id := touch.event_id;
        moved_from := move.event_id;
        RETURN NEXT;
        later := touch;
        IF move.event_id IS NOT NULL THEN
          later := move;
          path_key := move.record_key;
          bound := audit.place(move.stream_order, move.committed_at, move.transaction_id, move.sequence);
          turned := true;
        ELSIF touch.operation = 'update' AND touch.record_key = path_key
          AND NOT (touch.record_key || touch.before) @> touch.record_key THEN
          path_key := audit.previous_key(touch.record_key, touch.before);
          turned := true;
        ELSIF touch.operation = 'insert' THEN
          -- A record of the same key may have been deleted before.
          begun := true;
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
  'moved it between partitions names the delete that belongs to it.';

CREATE OR REPLACE FUNCTION audit.referring(source text, named_schema text, named_table text, key jsonb)
RETURNS TABLE (committed_at timestamptz, event_id uuid)
LANGUAGE sql
STABLE
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
    SELECT path.committed_at, path.event_id, path.moved_from FROM path
    UNION ALL
    SELECT referring.committed_at, referring.event_id, NULL
    FROM audit.referring(of_source, final.last_schema, final.last_table, final_key) AS referring
    WHERE $4
  )
  SELECT log."time", log.actor, log.request,
    CASE WHEN gone.event_id IS NULL THEN log.operation ELSE 'update' END,
    log."schema", log."table", log.key,
    CASE WHEN gone.event_id IS NULL THEN log.changes ELSE difference.changes END,
    CASE WHEN gone.event_id IS NULL THEN log.before ELSE difference.before END,
    log.after, log.transaction, log.sequence, log.context, log.detail, log.unknown_columns, log.untyped_columns,
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
  ORDER BY audit.place(log.stream_order, log."time", log.transaction, log.sequence);
END
$$;
COMMENT ON FUNCTION audit.history(text, jsonb, text, boolean) IS
  'Everything that happened to a record, in the order of the stream: audit.history(''shop.orders'', ''{"id": 42}''). By '
  'any name that its table had, through changes of its key; the key is written as the table had it under that name. A row '
  'that moved between partitions shows as one update. Related: also the events of records whose foreign keys name it.';
