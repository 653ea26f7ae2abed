-- All rows of a table at a time.

-- Its former form knew no place to look before.
DROP FUNCTION IF EXISTS audit.generations(text, text, text, timestamptz);
CREATE OR REPLACE FUNCTION audit.generations(
  source text, named_schema text, named_table text, until timestamptz, before_place bigint[]
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
    FROM audit.life(source, named_schema, named_table, until, before_place) AS life
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
    audit.reshaping(source, named_schema, named_table, until, from_place, shape, newest_shape, before_place)
  FROM numbered
$$;
COMMENT ON FUNCTION audit.generations(text, text, text, timestamptz, bigint[]) IS
  'The versions of a table as audit.life gives them, in generations whose keys are made of the same columns, the newest '
  'first; with the newest shape of each generation, and how rows of each version read at the time asked for.';

-- Its former form carried the shapes with each event.
DROP FUNCTION IF EXISTS audit.table_touches(text, text, text, timestamptz);
CREATE OR REPLACE FUNCTION audit.table_touches(
  source text, named_schema text, named_table text, until timestamptz, before_place bigint[], read_until timestamptz
)
RETURNS TABLE (
  from_place bigint[], own_key jsonb, key jsonb, schema_name text, table_name text, generation bigint,
  committed_at timestamptz, event_id uuid, transaction_id bigint, partition_name text, place bigint[], holds boolean
)
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT version.from_place, touch.key AS own_key,
    CASE WHEN version.shape IS NOT DISTINCT FROM version.generation_shape THEN touch.key
      ELSE coalesce(audit.key_in(version.generation_shape, version.shape, touch.key), touch.key) END AS key,
    version.schema_name, version.table_name, version.generation, event.committed_at, event.event_id,
    event.transaction_id, event.partition_name, place.place, touch.holds
  FROM audit.generations(source, named_schema, named_table, until, before_place) AS version
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
    AND (event.operation <> 'baseline' OR event.committed_at <= read_until)
    AND place.place >= version.from_place AND place.place < version.to_place
$$;
COMMENT ON FUNCTION audit.table_touches(text, text, text, timestamptz, bigint[], timestamptz) IS
  'Every event until a time and before a place, and every baseline read until a time, that gave a key of a table to a record, changed a record under it or took it '
  'away, with the name of the table and the place from which it had the shape that the event belongs to.';

-- Its former form knew no place to look before.
DROP FUNCTION IF EXISTS audit.table_truncations(text, text, text, timestamptz);
CREATE OR REPLACE FUNCTION audit.table_truncations(
  source text, named_schema text, named_table text, until timestamptz, before_place bigint[]
)
RETURNS bigint[]
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT max(stands.place)
  FROM audit.life(source, named_schema, named_table, until, before_place) AS version
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
COMMENT ON FUNCTION audit.table_truncations(text, text, text, timestamptz, bigint[]) IS
  'The place of the last TRUNCATE of a table until a time and before a place, under any name that it had; null when there '
  'was none.';

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

CREATE OR REPLACE FUNCTION audit.last_showing(
  source text, named_schema text, named_table text, at timestamptz, OUT until timestamptz, OUT before_place bigint[]
)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  -- A clock that is set back by more is not followed.
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
    -- Baselines are dated by the clock that read them, and stand before changes that were committed while they were read.
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
  'time more than once, and the last time counts. So what came before in the stream had happened, though it was committed '
  'at a later time by the clock of then.';

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
  moment record;
  of_source text;
  newest jsonb;
  emptied bigint[];
  loads jsonb;
  incomplete record;
BEGIN
  SELECT * INTO named FROM audit.table_name($1);
  of_source := audit.source_of(named.schema_name, named.table_name, NULL, $3);
  SELECT * INTO moment FROM audit.last_showing(of_source, named.schema_name, named.table_name, $2);
  SELECT life.shape INTO newest
  FROM audit.life(of_source, named.schema_name, named.table_name, moment.until, moment.before_place) AS life LIMIT 1;
  IF newest -> 'key' = '[]' THEN
    PERFORM audit.check_key($1, '{}', newest);
  END IF;
  emptied := coalesce(audit.table_truncations(
    of_source, named.schema_name, named.table_name, moment.until, moment.before_place), '{}');
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
  WITH versions AS MATERIALIZED (
    SELECT row_number() OVER () AS version, known.* FROM audit.generations(
      of_source, named.schema_name, named.table_name, moment.until, moment.before_place) AS known
  ), touches AS MATERIALIZED (
    SELECT * FROM audit.table_touches(
      of_source, named.schema_name, named.table_name, moment.until, moment.before_place, $2)
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
      of_source, last_touches.schema_name, last_touches.table_name, last_touches.own_key, moment.until,
      last_touches.place || 0::bigint) AS holder
    WHERE NOT last_touches.holds AND EXISTS (
      SELECT FROM touches
      WHERE touches.generation = last_touches.generation AND touches.key = last_touches.key AND touches.holds
        AND touches.transaction_id = last_touches.transaction_id AND touches.committed_at = last_touches.committed_at
    )
  ), rows AS MATERIALIZED (
    SELECT version.version, version.generation, version.steps, holders.key AS generation_key, event AS held
    FROM holders
    JOIN touches AS held ON held.event_id = holders.held_id AND held.holds
    JOIN versions AS version ON version.from_place = held.from_place AND version.schema_name = held.schema_name
      AND version.table_name = held.table_name
    JOIN audit.events AS event ON event.committed_at = held.committed_at AND event.event_id = held.event_id
    WHERE held.place > emptied AND NOT EXISTS (
      SELECT FROM audit.table_name(held.partition_name) AS part
      WHERE held.partition_name IS NOT NULL AND audit.emptied_since(
        of_source, part.schema_name, part.table_name, held.place, moment.until, moment.before_place)
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
  ), later_names AS MATERIALIZED (
    -- What the key columns of newer generations were called in older versions.
    SELECT version.version, newer.generation, part.name, audit.column_of(version.shape, newer.shape, part.name) AS old_name,
      audit.column_type(newer.shape, part.name) AS type
    FROM versions AS version
    JOIN (
      SELECT DISTINCT versions.generation, versions.generation_shape AS shape FROM versions
    ) AS newer ON newer.generation < version.generation
    CROSS JOIN LATERAL jsonb_array_elements_text(newer.shape -> 'key') AS part (name)
  ), later_keys AS MATERIALIZED (
    -- The keys that rows of older generations have in newer ones, as far as their images tell.
    SELECT (rows.held).event_id, later.generation, array_agg(later.name ORDER BY later.name) AS names,
      jsonb_object_agg(later.name, audit.value_as((rows.held).after -> later.old_name, later.type)) AS key
    FROM rows JOIN later_names AS later ON later.version = rows.version
    WHERE (rows.held).after ? later.old_name
    GROUP BY 1, 2
  ), touched_again AS MATERIALIZED (
    -- Under a key that is made of other columns. The rows are looked up in a hash table: to a join the planner might bring
    -- a loop over all pairs, since it does not know how many rows a function returns.
    SELECT later_keys.event_id
    FROM later_keys
    WHERE ((later_keys.generation, later_keys.names, later_keys.key) IN (
      SELECT asked.generation, asked.names, part.key
      FROM (SELECT DISTINCT later_keys.generation, later_keys.names FROM later_keys) AS asked
      JOIN touches ON touches.generation = asked.generation
      CROSS JOIN LATERAL (
        SELECT jsonb_object_agg(name, touches.key -> name) FROM unnest(asked.names) AS listed (name)
      ) AS part (key)
    )) IS TRUE
  )
  SELECT coalesce(audit.key_of_image(newest, newest, known."row"), rows.generation_key), known."row",
    ARRAY(SELECT jsonb_object_keys(known.unknown) ORDER BY 1)
  FROM rows
  CROSS JOIN LATERAL audit.reshaped(rows.held, rows.steps) AS known
  WHERE (rows.held).event_id NOT IN (SELECT touched_again.event_id FROM touched_again);
END
$$;
COMMENT ON FUNCTION audit.table_as_of(text, timestamptz, text) IS
  'Every row of a table as it was at a time, by default now, with the columns of each that are not known. Where the source''s '
  'clock was set back, all rows are of the last moment at which it showed the time. Warns of a full '
  'load that is not whole in the log, since rows may have ended before it. Reads all '
  'events of the table: for a table of millions of events a matter of minutes.';
