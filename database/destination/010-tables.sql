-- All rows of a table at a time.

DROP FUNCTION IF EXISTS audit.generations(text, text, text, timestamptz); -- Its former form.
CREATE OR REPLACE FUNCTION audit.generations(
  source text, named_schema text, named_table text, until timestamptz, before_place bigint[]
)
RETURNS TABLE (
  generation bigint, schema_name text, table_name text, from_place bigint[], to_place bigint[], shape jsonb,
  generation_shape jsonb, steps jsonb, stored_schema text, stored_table text, partition text, since timestamptz,
  ended timestamptz
)
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH versions AS (
    SELECT row_number() OVER () AS depth, life.*, first_value(life.shape) OVER () AS newest_shape
    FROM audit.life(source, named_schema, named_table, until, before_place) AS life
  ), marked AS (
    SELECT versions.*, lag(shape) OVER (ORDER BY depth) AS newer_shape, lag(since) OVER (ORDER BY depth) AS ended
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
    audit.reshaping(source, named_schema, named_table, until, from_place, shape, newest_shape, before_place),
    stored_schema, stored_table, partition, coalesce(since, '-infinity'), coalesce(ended, 'infinity')
  FROM numbered
$$;
COMMENT ON FUNCTION audit.generations(text, text, text, timestamptz, bigint[]) IS
  'The versions of a table as audit.life gives them, in generations whose keys are made of the same columns, newest first; '
  'with the newest shape of each generation, and how rows of each version read at the time asked for.';

-- Their former forms read one table alone.
DROP FUNCTION IF EXISTS audit.table_touches(text, text, text, timestamptz),
  audit.table_truncations(text, text, text, timestamptz), audit.table_loads(text, text, text, timestamptz);

CREATE OR REPLACE FUNCTION audit.table_versions(
  source text, named_schema text, named_table text, until timestamptz, before_place bigint[]
)
RETURNS TABLE (
  version bigint, storage bigint, generation bigint, schema_name text, table_name text, from_place bigint[],
  to_place bigint[], shape jsonb, generation_shape jsonb, steps jsonb, stored_schema text, stored_table text,
  partition text, since timestamptz, ended timestamptz, other_partitions text[]
)
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH storages AS (
    SELECT row_number() OVER () - 1 AS storage, known.*
    FROM audit.storages(source, named_schema, named_table, until, before_place) AS known
  )
  SELECT row_number() OVER (), storages.storage, known.*,
    -- Of the table itself: what no partition tells that is described by itself.
    CASE WHEN known.partition IS NULL THEN ARRAY(
      SELECT DISTINCT audit.partition_name(event.schema_name, event.table_name)
      FROM audit.events AS event
      WHERE event.operation = 'schema' AND event.source_id = source
        AND event.after -> 'root' ->> 'schema' = known.stored_schema
        AND event.after -> 'root' ->> 'table' = known.stored_table
    ) END
  FROM storages
  CROSS JOIN LATERAL audit.generations(source, storages.schema_name, storages.table_name, until, before_place) AS known
$$;
COMMENT ON FUNCTION audit.table_versions(text, text, text, timestamptz, bigint[]) IS
  'The versions of a table and of its partitions at a time, each with the name that its rows stand under.';

CREATE OR REPLACE FUNCTION audit.table_touches(
  source text, named_schema text, named_table text, until timestamptz, before_place bigint[], read_until timestamptz
)
RETURNS TABLE (
  version bigint, storage bigint, generation bigint, own_key jsonb, key jsonb, committed_at timestamptz, event_id uuid,
  transaction_id bigint, partition_name text, place bigint[], holds boolean
)
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT version.version, version.storage, version.generation, touch.key AS own_key,
    CASE WHEN version.shape IS NOT DISTINCT FROM version.generation_shape THEN touch.key
      ELSE coalesce(audit.key_in(version.generation_shape, version.shape, touch.key), touch.key) END AS key,
    event.committed_at, event.event_id, event.transaction_id, event.partition_name, place.place, touch.holds
  FROM audit.table_versions(source, named_schema, named_table, until, before_place) AS version
  JOIN audit.events AS event
    ON event.table_name = version.stored_table AND event.schema_name = version.stored_schema
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
    AND CASE WHEN version.partition IS NULL THEN coalesce(event.partition_name <> ALL (version.other_partitions), true)
      ELSE event.partition_name = version.partition END
    AND place.place >= version.from_place AND place.place < version.to_place
$$;
COMMENT ON FUNCTION audit.table_touches(text, text, text, timestamptz, bigint[], timestamptz) IS
  'Every event until a time and before a place, and every baseline read until a time, that gave a key of a table to a '
  'record, changed a record under it or took it away, with the version that it belongs to, as audit.table_versions gives it.';

CREATE OR REPLACE FUNCTION audit.table_truncations(
  source text, named_schema text, named_table text, until timestamptz, before_place bigint[]
)
RETURNS TABLE (storage bigint, emptied bigint[])
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT version.storage, max(stands.place)
  FROM audit.table_versions(source, named_schema, named_table, until, before_place) AS version
  JOIN audit.events AS truncation
    ON truncation.table_name = version.table_name AND truncation.schema_name = version.schema_name
  CROSS JOIN LATERAL (
    SELECT audit.place(
      truncation.stream_order, truncation.committed_at, truncation.transaction_id, truncation.sequence) AS place
  ) AS stands
  WHERE truncation.operation = 'truncate' AND truncation.record_key IS NULL AND truncation.source_id = source
    AND truncation.committed_at <= until
    AND stands.place >= version.from_place AND stands.place < version.to_place
  GROUP BY 1
$$;
COMMENT ON FUNCTION audit.table_truncations(text, text, text, timestamptz, bigint[]) IS
  'The places of the last TRUNCATE of a table and of its partitions until a time and before a place, under any name that '
  'they had.';

-- Its former form did not tell between which places a name was the table's.
DROP FUNCTION IF EXISTS audit.table_loads(text, text, text, timestamptz, bigint[], timestamptz);
CREATE OR REPLACE FUNCTION audit.table_loads(
  source text, named_schema text, named_table text, until timestamptz, before_place bigint[], read_until timestamptz
)
RETURNS TABLE (
  storage bigint, load_schema text, load_table text, stored_schema text, stored_table text, partition text,
  from_place text, to_place text, relation text, started_at timestamptz, loaded_rows bigint, before_time timestamptz,
  next_started_at timestamptz, found_rows bigint
)
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH names AS (
    SELECT version.storage, version.schema_name, version.table_name, version.stored_schema, version.stored_table,
      version.partition, version.since, version.ended, version.from_place::text,
      CASE WHEN version.ended < 'infinity' THEN version.to_place::text END AS to_place,
      CASE WHEN version.partition IS NULL THEN version.shape ->> 'relation' END AS relation
    FROM audit.table_versions(source, named_schema, named_table, until, before_place) AS version
  )
  SELECT names.storage, names.schema_name, names.table_name, names.stored_schema, names.stored_table, names.partition,
    names.from_place, names.to_place, names.relation, known.started_at, known.loaded_rows, known.before_time, known.next_started_at,
    audit.baselines_between(
      source, names.stored_schema, names.stored_table, names.partition, known.started_at, known.before_time)
  FROM names
  CROSS JOIN LATERAL audit.loads_since(source, names.schema_name, names.table_name, '-infinity') AS known
  -- Not those of other tables that bore the name. The first load of a table ends nothing.
  WHERE known.started_at >= names.since AND known.started_at < names.ended
    AND known.started_at <= read_until AND EXISTS (
    SELECT FROM names AS borne
    JOIN audit.events AS earlier
      ON earlier.table_name = borne.stored_table AND earlier.schema_name = borne.stored_schema
    WHERE borne.storage = names.storage AND earlier.source_id = source AND earlier.record_key IS NOT NULL
      AND earlier.committed_at < known.started_at
      AND (borne.partition IS NULL OR earlier.partition_name = borne.partition)
  )
$$;
COMMENT ON FUNCTION audit.table_loads(text, text, text, timestamptz, bigint[], timestamptz) IS
  'The full loads of a table and of its partitions that began after their first event and until a time, and how many of '
  'their rows are in the log.';

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
  SELECT coalesce(jsonb_agg(to_jsonb(known)), '[]') INTO loads
  FROM audit.table_loads(of_source, named.schema_name, named.table_name, moment.until, moment.before_place, $2) AS known;
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
    SELECT * FROM audit.table_versions(
      of_source, named.schema_name, named.table_name, moment.until, moment.before_place)
  ), touches AS MATERIALIZED (
    SELECT * FROM audit.table_touches(
      of_source, named.schema_name, named.table_name, moment.until, moment.before_place, $2)
  ), last_touches AS (
    SELECT DISTINCT ON (touches.storage, touches.generation, touches.key) touches.*
    FROM touches
    ORDER BY touches.storage, touches.generation, touches.key, touches.place DESC
  ), holders AS (
    SELECT *, last_touches.key AS last_key, last_touches.place AS last_place FROM last_touches WHERE last_touches.holds
    UNION ALL
    -- A key that its last transaction both gave and took.
    SELECT held.*, last_touches.key, last_touches.place
    FROM last_touches
    -- Asked by the name that the table bore there: transactions that were open across the rename of a schema write under the
    -- old one, which by then is nobody's.
    CROSS JOIN LATERAL (
      SELECT * FROM versions
      WHERE versions.storage = last_touches.storage AND versions.from_place <= last_touches.place
      ORDER BY versions.from_place DESC LIMIT 1
    ) AS version
    CROSS JOIN LATERAL audit.holder(of_source, version.schema_name, version.table_name, last_touches.own_key,
      moment.until, last_touches.place || 0::bigint) AS holder
    JOIN touches AS held
      ON held.event_id = (holder.held).event_id AND held.storage = last_touches.storage AND held.holds
    WHERE NOT last_touches.holds AND EXISTS (
      SELECT FROM touches
      WHERE touches.storage = last_touches.storage AND touches.generation = last_touches.generation
        AND touches.key = last_touches.key AND touches.holds
        AND touches.transaction_id = last_touches.transaction_id AND touches.committed_at = last_touches.committed_at
    )
  ), emptied AS MATERIALIZED (
    SELECT * FROM audit.table_truncations(
      of_source, named.schema_name, named.table_name, moment.until, moment.before_place)
  ), rows AS MATERIALIZED (
    SELECT held.version, held.last_key AS generation_key, version.steps, event AS held
    FROM holders AS held
    JOIN versions AS version ON version.version = held.version
    JOIN audit.events AS event ON event.committed_at = held.committed_at AND event.event_id = held.event_id
    WHERE held.place > coalesce(
      (SELECT truncation.emptied FROM emptied AS truncation WHERE truncation.storage = held.storage), '{}')
    AND NOT EXISTS (
      SELECT FROM audit.table_name(held.partition_name) AS part
      WHERE version.partition IS NULL AND held.partition_name IS NOT NULL AND audit.emptied_since(
        of_source, part.schema_name, part.table_name, held.place, moment.until, moment.before_place)
    ) AND NOT EXISTS (
      SELECT FROM jsonb_to_recordset(loads) AS known (
        storage bigint, stored_schema text, stored_table text, partition text, from_place text, to_place text,
        relation text, started_at timestamptz, loaded_rows bigint, before_time timestamptz, next_started_at timestamptz, found_rows bigint)
      LEFT JOIN LATERAL audit.next_touch(of_source,
        ARRAY[[version.stored_schema, version.stored_table, version.partition, version.from_place::text,
            CASE WHEN version.ended < 'infinity' THEN version.to_place::text END,
            CASE WHEN version.partition IS NULL THEN version.shape ->> 'relation' END],
          [known.stored_schema, known.stored_table, known.partition, known.from_place, known.to_place, known.relation]],
        ARRAY[held.own_key, held.last_key], held.last_place) AS next ON true
      WHERE known.storage = held.storage
        AND known.found_rows >= known.loaded_rows AND known.started_at > audit.captured(event)
        AND (next.event_id IS NULL OR audit.captured(next) >= known.started_at)
        AND audit.ended_before(event, next, ARRAY[held.own_key, held.last_key], known.before_time, known.next_started_at)
    )
  ), later_names AS MATERIALIZED (
    -- What the key columns of newer generations were called in older versions.
    SELECT version.version, newer.storage, newer.generation, part.name, audit.column_type(newer.shape, part.name) AS type,
      audit.column_of(version.shape, newer.shape, part.name) AS old_name
    FROM versions AS version
    JOIN (
      SELECT DISTINCT versions.storage, versions.generation, versions.generation_shape AS shape FROM versions
    ) AS newer ON newer.storage = version.storage AND newer.generation < version.generation
    CROSS JOIN LATERAL jsonb_array_elements_text(newer.shape -> 'key') AS part (name)
  ), later_keys AS MATERIALIZED (
    -- The keys that rows of older generations have in newer ones, as far as their images tell.
    SELECT (rows.held).event_id, later.storage, later.generation, array_agg(later.name ORDER BY later.name) AS names,
      jsonb_object_agg(later.name, audit.value_as((rows.held).after -> later.old_name, later.type)) AS key
    FROM rows JOIN later_names AS later ON later.version = rows.version
    WHERE (rows.held).after ? later.old_name
    GROUP BY 1, 2, 3
  ), touched_again AS MATERIALIZED (
    -- Looked up in a hash table: a join might be a loop over all pairs, since nobody tells the planner of how many rows.
    SELECT later_keys.event_id
    FROM later_keys
    WHERE ((later_keys.storage, later_keys.generation, later_keys.names, later_keys.key) IN (
      SELECT asked.storage, asked.generation, asked.names, part.key
      FROM (SELECT DISTINCT later_keys.storage, later_keys.generation, later_keys.names FROM later_keys) AS asked
      JOIN touches ON touches.storage = asked.storage AND touches.generation = asked.generation
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
  'clock was set back, all rows are of the last moment at which it showed the time. Warns of a full load that is not whole '
  'in the log. Reads all events of the table: of millions of events in minutes.';
