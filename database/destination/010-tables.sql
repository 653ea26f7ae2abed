-- All rows of a table at a time.

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

CREATE OR REPLACE FUNCTION audit.table_touches(
  source text, named_schema text, named_table text, until timestamptz
)
RETURNS TABLE (
  generation bigint, shape jsonb, generation_shape jsonb, steps jsonb, own_key jsonb, key jsonb, schema_name text,
  table_name text, committed_at timestamptz, event_id uuid, transaction_id bigint, partition_name text, place bigint[],
  holds boolean
)
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT version.generation, version.shape, version.generation_shape, version.steps, touch.key AS own_key,
    CASE WHEN version.shape IS NOT DISTINCT FROM version.generation_shape THEN touch.key
      ELSE coalesce(audit.key_in(version.generation_shape, version.shape, touch.key), touch.key) END AS key,
    version.schema_name, version.table_name, event.committed_at, event.event_id, event.transaction_id,
    event.partition_name, place.place, touch.holds
  FROM audit.generations(source, named_schema, named_table, until) AS version
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
  WHERE event.source_id = source AND event.committed_at <= until
    AND event.record_key IS NOT NULL AND event.operation IN ('insert', 'update', 'delete', 'baseline')
    AND place.place >= version.from_place AND place.place < version.to_place
$$;
COMMENT ON FUNCTION audit.table_touches(text, text, text, timestamptz) IS
  'Every event until a time that gave a key of a table to a record, changed a record under it or took it away, with the '
  'version of the table that it belongs to.';

CREATE OR REPLACE FUNCTION audit.table_truncations(
  source text, named_schema text, named_table text, until timestamptz
)
RETURNS bigint[]
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT max(stands.place)
  FROM audit.life(source, named_schema, named_table, until) AS version
  JOIN audit.events AS truncation
    ON truncation.table_name = version.table_name AND truncation.schema_name = version.schema_name
  CROSS JOIN LATERAL (
    SELECT audit.place(
      truncation.stream_order, truncation.committed_at, truncation.transaction_id, truncation.sequence) AS place
  ) AS stands
  WHERE truncation.operation = 'truncate' AND truncation.record_key IS NULL AND truncation.source_id = source
    AND truncation.committed_at <= until
    AND stands.place >= version.from_place AND stands.place < version.to_place
$$;
COMMENT ON FUNCTION audit.table_truncations(text, text, text, timestamptz) IS
  'The place of the last TRUNCATE of a table until a time, under any name that it had; null when there was none.';

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

CREATE OR REPLACE FUNCTION audit.table_loads(
  source text, named_schema text, named_table text, until timestamptz
)
RETURNS TABLE (
  load_schema text, load_table text, schema_name text, table_name text, partition_name text, started_at timestamptz,
  loaded_rows bigint, before_time timestamptz, next_started_at timestamptz, found_rows bigint
)
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH names AS (
    SELECT DISTINCT life.schema_name, life.table_name
    FROM audit.life(source, named_schema, named_table, until) AS life
  ), loaded AS (
    SELECT names.schema_name AS load_schema, names.table_name AS load_table, names.*, NULL AS partition_name
    FROM names
    UNION ALL
    SELECT part.schema_name, part.table_name, names.*, audit.partition_name(part.schema_name, part.table_name)
    FROM names
    CROSS JOIN (
      SELECT DISTINCT load.schema_name, load.table_name FROM audit.events AS load
      WHERE load.operation = 'load' AND load.source_id = source
    ) AS part
    WHERE EXISTS (
      SELECT FROM audit.events AS described
      WHERE described.operation = 'schema' AND described.table_name = part.table_name
        AND described.schema_name = part.schema_name AND described.source_id = source
        AND described.after -> 'root' ->> 'schema' = names.schema_name
        AND described.after -> 'root' ->> 'table' = names.table_name
    )
  )
  SELECT loaded.*, known.started_at, known.loaded_rows, known.before_time, known.next_started_at,
    audit.baselines_between(source, loaded.schema_name, loaded.table_name, loaded.partition_name, known.started_at,
      known.before_time)
  FROM loaded
  CROSS JOIN LATERAL audit.loads_since(source, loaded.load_schema, loaded.load_table, '-infinity') AS known
  -- The first load of a table ends nothing.
  WHERE known.started_at <= until AND EXISTS (
    SELECT FROM names AS borne
    JOIN audit.events AS earlier
      ON earlier.table_name = borne.table_name AND earlier.schema_name = borne.schema_name
    WHERE earlier.source_id = source AND earlier.record_key IS NOT NULL AND earlier.committed_at < known.started_at
      AND (loaded.partition_name IS NULL OR earlier.partition_name = loaded.partition_name)
  )
$$;
COMMENT ON FUNCTION audit.table_loads(text, text, text, timestamptz) IS
  'The full loads of a table or of its partitions that began after its first event and until a time, and how many of their '
  'rows are in the log.';

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
  emptied bigint[];
  loads jsonb;
  incomplete record;
BEGIN
  SELECT * INTO named FROM audit.table_name($1);
  of_source := audit.source_of(named.schema_name, named.table_name, NULL, $3);
  SELECT life.shape INTO newest FROM audit.life(of_source, named.schema_name, named.table_name, $2) AS life LIMIT 1;
  IF newest -> 'key' = '[]' THEN
    PERFORM audit.check_key($1, '{}', newest);
  END IF;
  emptied := coalesce(audit.table_truncations(of_source, named.schema_name, named.table_name, $2), '{}');
  SELECT coalesce(jsonb_agg(to_jsonb(known)), '[]') INTO loads
  FROM audit.table_loads(of_source, named.schema_name, named.table_name, $2) AS known;
  FOR incomplete IN
    SELECT * FROM jsonb_to_recordset(loads) AS known (
      load_schema text, load_table text, started_at timestamptz, loaded_rows bigint, found_rows bigint)
    WHERE found_rows < loaded_rows
  LOOP
    RAISE WARNING 'rows that had ended before the load of % at % may still be listed: only % of the % rows that it read are '
      'in the log', format('%I.%I', incomplete.load_schema, incomplete.load_table), incomplete.started_at, incomplete.found_rows,
      incomplete.loaded_rows;
  END LOOP;
  RETURN QUERY
  WITH touches AS MATERIALIZED (
    SELECT * FROM audit.table_touches(of_source, named.schema_name, named.table_name, $2)
  ), last_touches AS (
    SELECT DISTINCT ON (touches.generation, touches.key) touches.*
    FROM touches
    ORDER BY touches.generation, touches.key, touches.place DESC
  ), holders AS (
    SELECT last_touches.*, last_touches.event_id AS held_id FROM last_touches WHERE last_touches.holds
    UNION ALL
    -- A key that its last transaction both gave and took.
    SELECT last_touches.*, (holder.held).event_id
    FROM last_touches
    CROSS JOIN LATERAL audit.holder(
      of_source, last_touches.schema_name, last_touches.table_name, last_touches.own_key, last_touches.committed_at)
      AS holder
    WHERE NOT last_touches.holds AND EXISTS (
      SELECT FROM touches
      WHERE touches.generation = last_touches.generation AND touches.key = last_touches.key AND touches.holds
        AND touches.transaction_id = last_touches.transaction_id AND touches.committed_at = last_touches.committed_at
    )
  ), rows AS (
    SELECT holders.generation, holders.key AS generation_key, held.shape, held.steps, event AS held
    FROM holders
    JOIN touches AS held ON held.event_id = holders.held_id AND held.holds
    JOIN audit.events AS event ON event.committed_at = held.committed_at AND event.event_id = held.event_id
    WHERE held.place > emptied AND NOT EXISTS (
      SELECT FROM audit.table_name(held.partition_name) AS part
      WHERE held.partition_name IS NOT NULL
        AND audit.emptied_since(of_source, part.schema_name, part.table_name, held.place, $2)
    ) AND NOT EXISTS (
      SELECT FROM jsonb_to_recordset(loads) AS known (
        schema_name text, table_name text, partition_name text, started_at timestamptz, loaded_rows bigint,
        before_time timestamptz, next_started_at timestamptz, found_rows bigint)
      LEFT JOIN LATERAL audit.next_touch(of_source,
        ARRAY[[held.schema_name, held.table_name], [known.schema_name, known.table_name]],
        ARRAY[held.own_key, holders.key], holders.place) AS next ON true
      WHERE known.found_rows >= known.loaded_rows AND known.started_at > audit.captured(event)
        AND (known.partition_name IS NULL OR known.partition_name = held.partition_name)
        AND (next.event_id IS NULL OR audit.captured(next) >= known.started_at)
        AND audit.ended_before(event, next, ARRAY[held.own_key, holders.key], known.before_time, known.next_started_at)
    )
  )
  SELECT coalesce(audit.key_of_image(newest, newest, known."row"), rows.generation_key), known."row",
    ARRAY(SELECT jsonb_object_keys(known.unknown) ORDER BY 1)
  FROM rows
  CROSS JOIN LATERAL audit.reshaped(rows.held, rows.steps) AS known
  WHERE rows.generation = 0 OR NOT EXISTS (
    -- Touched again since, under a key that is made of other columns.
    SELECT FROM touches
    WHERE touches.generation < rows.generation
      AND touches.key @> audit.key_of_image(touches.generation_shape, rows.shape, (rows.held).after)
  );
END
$$;
COMMENT ON FUNCTION audit.table_as_of(text, timestamptz, text) IS
  'Every row of a table as it was at a time, by default now, with the columns of each that are not known. Warns of a full '
  'load that is not whole in the log, since rows may have ended before it. Reads all '
  'events of the table: for a table of millions of events a matter of minutes.';
