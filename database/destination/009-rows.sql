-- One record at a time, and questions that can have no answer.

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

-- Its former form knew no place to look before.
DROP FUNCTION IF EXISTS audit.reshaping(text, text, text, timestamptz, bigint[], jsonb, jsonb);
CREATE OR REPLACE FUNCTION audit.reshaping(
  source text, named_schema text, named_table text, until timestamptz, then_place bigint[], then_shape jsonb,
  newest_shape jsonb, before_place bigint[]
)
RETURNS jsonb
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
-- Times stand in JSON.
SET timezone = 'UTC'
SET plan_cache_mode = force_generic_plan
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
  IF then_shape IS NULL OR newest_shape IS NULL THEN
    RETURN NULL;
  END IF;
  -- DDL may give rows other values and leave the shape as it is.
  IF newest_shape = then_shape AND NOT EXISTS (
    SELECT FROM audit.life(source, named_schema, named_table, until, before_place) AS life
    WHERE life.from_place > then_place AND (life.detail -> 'rewritten')::boolean
  ) THEN
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
    SELECT life.* FROM audit.life(source, named_schema, named_table, until, before_place) AS life
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
        -- A record is known by its key, so a key's values are taken for the same, as the other type writes them.
        IF NOT version.shape -> 'key' ? entry.newer_name AND (
          NOT alike AND NOT coalesce(
            NOT (version.detail -> 'rewritten')::boolean,
            audit.column_type(older_shape, older_name) IN ('text', 'character varying')
              AND audit.column_type(version.shape, entry.newer_name) IN ('text', 'character varying'))
          -- A rewrite that shows in no type may have given any column another value.
          OR alike AND coalesce((version.detail -> 'rewritten')::boolean, false)
            AND version.shape -> 'columns' = older_shape -> 'columns')
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
COMMENT ON FUNCTION audit.reshaping(text, text, text, timestamptz, bigint[], jsonb, jsonb, bigint[]) IS
  'How rows of an older shape read in a newer one, by column: {"from", "type"} for what stayed, {"value"} for what DDL '
  'gave, {"unknown": {"since", "reason"}} for what it made unknown. Null when nothing changed.';

CREATE OR REPLACE FUNCTION audit.reshaped(held audit.events, steps jsonb, OUT "row" jsonb, OUT unknown jsonb)
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
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
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  sources text[];
  alike text;
  parent text;
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
    -- Bounded, since no index is on it: a partition in use is among the last events.
    SELECT string_agg(DISTINCT format('%I.%I', recent.schema_name, recent.table_name), ', ') INTO parent
    FROM (
      SELECT event.schema_name, event.table_name, event.partition_name FROM audit.events AS event
      ORDER BY event.committed_at DESC LIMIT 20000
    ) AS recent
    -- The log writes a reserved word without quotes.
    WHERE recent.partition_name IN (format('%I.%I', named_schema, named_table), named_schema || '.' || named_table);
    IF parent IS NOT NULL THEN
      RAISE EXCEPTION '% is a partition of %', format('%I.%I', named_schema, named_table), parent
        USING ERRCODE = 'undefined_table',
          HINT = format('Ask for %s: the log tells of its rows under that name, and audit.log names the partition of each.', parent);
    END IF;
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
    SELECT CASE
      WHEN jsonb_typeof(given.value) = jsonb_typeof(fitting.value)
        THEN format('%s is %s, and the key holds it as %s', given.name, given.value, fitting.value)
      WHEN jsonb_typeof(given.value) = 'string' THEN format('%s is the text %s, and the key holds numbers', given.name, given.value)
      ELSE format('%s is the number %s, and the key holds texts', given.name, given.value)
    END
    FROM jsonb_each(key) AS given (name, value)
    CROSS JOIN LATERAL audit.value_as(given.value, audit.column_type(shape, given.name)) AS fitting (value)
    WHERE shape -> 'key' ? given.name AND fitting.value <> given.value
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
RETURNS TABLE ("row" jsonb, unknown jsonb, doubt jsonb)
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  named record;
  of_source text;
  kept record;
  newest record;
  until timestamptz := $3;
  before_place bigint[] := ARRAY[9223372036854775807];
BEGIN
  SELECT * INTO named FROM audit.table_name($1);
  of_source := audit.source_of(named.schema_name, named.table_name, $2, $4);
  LOOP
    SELECT life.shape, life.from_place INTO newest
    FROM audit.life(of_source, named.schema_name, named.table_name, until, before_place) AS life LIMIT 1;
    IF NOT FOUND THEN
      RETURN;
    END IF;
    PERFORM audit.check_key($1, $2, newest.shape);
    SELECT * INTO kept
    FROM audit.holder_anywhere(of_source, named.schema_name, named.table_name, $2, until, before_place);
    IF NOT FOUND THEN
      RETURN;
    END IF;
    EXIT WHEN until > $3;
    -- A clock that was set back dates DDL later than the rows that were written after it.
    EXIT WHEN NOT EXISTS (
      SELECT FROM audit.events AS shaped
      WHERE shaped.operation = 'schema' AND shaped.table_name = (kept.held).table_name
        AND shaped.schema_name = (kept.held).schema_name AND shaped.source_id = of_source
        AND shaped.stream_order < (kept.held).stream_order
        AND shaped.committed_at > $3 AND shaped.committed_at <= $3 + interval '1 day'
    );
    until := $3 + interval '1 day';
    before_place := audit.place((kept.held).stream_order, (kept.held).committed_at, (kept.held).transaction_id,
      (kept.held).sequence) || 0::bigint;
  END LOOP;
  IF (kept.ended_by).event_id IS NOT NULL THEN
    RETURN QUERY SELECT NULL::jsonb, '{}'::jsonb, kept.doubt;
    RETURN;
  END IF;
  RETURN QUERY SELECT known."row", known.unknown, kept.doubt
  FROM audit.reshaped(kept.held, CASE WHEN kept.version_place < newest.from_place THEN audit.reshaping(
    of_source, kept.storage_schema, kept.storage_table, until, kept.version_place, kept.shape, kept.newest_shape,
    before_place) END) AS known;
END
$$;
COMMENT ON FUNCTION audit.row_as_of_explained(text, jsonb, timestamptz, text) IS
  'A record as it was at a time, and which of its columns are not known: {"column": {"since", "reason"}}. The doubt is what '
  'a full load makes uncertain of the record, {"since", "until", "reason"}; with a null row it says why the record is taken '
  'to be gone. No row when the record did not exist then, or nothing is known of it yet.';

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
  'is named as it was called then. A column that is not known is left out: audit.row_as_of_explained says why, and '
  'what a full load makes uncertain. Where the source''s clock was set back, the record is told as after the last of its own '
  'changes that is dated until the time.';
