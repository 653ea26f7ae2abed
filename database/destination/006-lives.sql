-- A record is not its name. The functions here tell what a table was called when, how its rows looked then, and how a
-- key of today reads under an older name or shape. The functions for readers stand on them.

-- A body of the SQL standard's form: its names are resolved here and now, so it needs no search_path of its own, which
-- would keep it from being inlined.
CREATE OR REPLACE FUNCTION audit.place(
  stream_order bigint, committed_at timestamptz, transaction_id bigint, sequence integer
)
RETURNS bigint[]
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
RETURN ARRAY[
  coalesce(stream_order, (extract(epoch FROM committed_at - timestamptz '1970-01-01 00:00:00+00') * 1000000)::bigint),
  coalesce(transaction_id, 0), coalesce(sequence, 0)
];
COMMENT ON FUNCTION audit.place(bigint, timestamptz, bigint, integer) IS
  'Where an event stands among those of its source, to sort and compare by. The stream''s order where it was noted; '
  'where it was not, the commit time in microseconds, which is on the same scale.';

CREATE OR REPLACE FUNCTION audit.renamed_from(event audit.events)
RETURNS jsonb
-- In plpgsql, so that a session plans it once: every question about a record asks it.
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
  IF event.context ? 'renamed_from' THEN
    RETURN event.context -> 'renamed_from';
  END IF;
  -- An earlier version did not say it. There the drop of a name and the first shape of another, alike and in one transaction,
  -- are a rename.
  IF event.context ->> 'reason' = 'ddl' AND coalesce(event.before -> 'columns', '[]') = '[]' THEN
    RETURN (
      SELECT jsonb_build_object('schema', gone.schema_name, 'table', gone.table_name)
      FROM audit.events AS gone
      WHERE gone.transaction_id = event.transaction_id AND gone.committed_at = event.committed_at
        AND gone.source_id = event.source_id AND gone.operation = 'schema'
        AND gone.context ->> 'reason' = 'drop' AND gone.sequence < event.sequence
        AND (gone.schema_name, gone.table_name) <> (event.schema_name, event.table_name)
        AND gone.before -> 'columns' = event.after -> 'columns'
      ORDER BY gone.sequence DESC
      LIMIT 1
    );
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION audit.renamed_from(audit.events) IS
  'The name that a table had until a schema event, {"schema", "table"}; null when the event is about no rename.';

CREATE OR REPLACE FUNCTION audit.renamed_to(event audit.events)
RETURNS jsonb
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT jsonb_build_object('schema', taken.schema_name, 'table', taken.table_name)
  FROM audit.events AS taken
  WHERE taken.transaction_id = event.transaction_id AND taken.committed_at = event.committed_at
    AND taken.source_id = event.source_id AND taken.operation = 'schema' AND taken.sequence > event.sequence
    AND audit.renamed_from(taken)
      = jsonb_build_object('schema', event.schema_name, 'table', event.table_name)
  ORDER BY taken.sequence
  LIMIT 1
$$;
COMMENT ON FUNCTION audit.renamed_to(audit.events) IS
  'The name that a table took in the transaction in which a schema event ended the old one; null when it was dropped.';

CREATE OR REPLACE FUNCTION audit.name_given_up(event audit.events, named_schema text, named_table text)
RETURNS bigint[]
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT max(audit.place(gone.stream_order, gone.committed_at, gone.transaction_id, gone.sequence))
  FROM audit.events AS gone
  WHERE gone.operation = 'schema' AND gone.table_name = named_table AND gone.schema_name = named_schema
    AND gone.source_id = event.source_id AND gone.context ->> 'reason' = 'drop'
    AND gone.transaction_id = event.transaction_id AND gone.committed_at = event.committed_at
    AND gone.sequence < event.sequence
$$;
COMMENT ON FUNCTION audit.name_given_up(audit.events, text, text) IS
  'The place at which a name ended earlier in the transaction of an event; null when it did not.';

CREATE OR REPLACE FUNCTION audit.name_taken_again(
  source text, named_schema text, named_table text, after_place bigint[]
)
RETURNS bigint[]
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT min(audit.place(later.stream_order, later.committed_at, later.transaction_id, later.sequence))
  FROM audit.events AS later
  WHERE later.operation = 'schema' AND later.table_name = named_table AND later.schema_name = named_schema
    AND later.source_id = source AND later.context ->> 'reason' <> 'drop'
    AND audit.place(later.stream_order, later.committed_at, later.transaction_id, later.sequence) > after_place
$$;
COMMENT ON FUNCTION audit.name_taken_again(text, text, text, bigint[]) IS
  'The first place after another at which a table has a name; null when none took it.';

CREATE OR REPLACE FUNCTION audit.shape_before(event audit.events)
RETURNS jsonb
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  -- The event does not tell the oid and the column numbers of then; both stay what they are.
  SELECT event.before || jsonb_build_object('relation', event.after -> 'relation', 'columns', (
    SELECT jsonb_agg(entry || coalesce((
      SELECT jsonb_build_object('number', newer -> 'number')
      FROM jsonb_array_elements(event.after -> 'columns') AS listed (newer)
      WHERE newer ->> 'name' = coalesce((
        SELECT change ->> 'to' FROM jsonb_array_elements(event.context -> 'changes') AS told (change)
        WHERE change ->> 'change' = 'column renamed' AND change ->> 'from' = entry ->> 'name'
      ), entry ->> 'name') AND newer ? 'number'
    ), '{}') ORDER BY place)
    FROM jsonb_array_elements(event.before -> 'columns') WITH ORDINALITY AS described (entry, place)
  ))
$$;
COMMENT ON FUNCTION audit.shape_before(audit.events) IS 'The shape that a table had until DDL changed it, as the schema event tells.';

CREATE OR REPLACE FUNCTION audit.versions_named(
  source text, named_schema text, named_table text, until timestamptz, before_place bigint[], end_place bigint[]
)
RETURNS TABLE (
  schema_name text, table_name text, from_place bigint[], to_place bigint[], shape jsonb, since timestamptz,
  detail jsonb, event audit.events, renamed_from jsonb
)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  -- Whether the OUT columns hold a version whose beginning is not known yet.
  pending boolean := false;
  given_up bigint[];
  oldest audit.events;
BEGIN
  schema_name := named_schema;
  table_name := named_table;
  to_place := end_place;
  FOR event IN
    SELECT * FROM audit.events AS candidate
    WHERE candidate.operation = 'schema' AND candidate.table_name = named_table
      AND candidate.schema_name = named_schema AND candidate.source_id = source AND candidate.committed_at <= until
      AND audit.place(candidate.stream_order, candidate.committed_at, candidate.transaction_id, candidate.sequence)
        < before_place
    ORDER BY
      audit.place(candidate.stream_order, candidate.committed_at, candidate.transaction_id, candidate.sequence) DESC
  LOOP
    IF event.context ->> 'reason' = 'drop' THEN
      -- What stands under a name after its table took another is of that table: it was written by transactions that were
      -- open across the rename of a schema.
      IF audit.renamed_to(event) IS NULL THEN
        given_up := audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence);
      ELSIF pending THEN
        given_up := from_place;
      ELSE
        RETURN;
      END IF;
      EXIT;
    END IF;
    IF pending THEN
      RETURN NEXT;
      to_place := from_place;
    END IF;
    from_place := audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence);
    shape := event.after;
    since := event.committed_at;
    detail := event.context;
    pending := true;
    oldest := event;
    renamed_from := audit.renamed_from(event);
    EXIT WHEN renamed_from IS NOT NULL;
  END LOOP;
  -- Without a rename the life begins here; or no event tells of the table's shape, perhaps of one that took a dropped name.
  IF renamed_from IS NULL THEN
    -- A table that was watched before anybody read the stream: of its first shape only the DDL that ended it tells.
    IF oldest.context ->> 'reason' = 'ddl' AND jsonb_array_length(oldest.before -> 'columns') > 0 THEN
      RETURN NEXT;
      to_place := from_place;
      shape := audit.shape_before(oldest);
      since := NULL;
      detail := NULL;
    END IF;
    from_place := coalesce(given_up, '{}');
  END IF;
  RETURN NEXT;
END
$$;
COMMENT ON FUNCTION audit.versions_named(text, text, text, timestamptz, bigint[], bigint[]) IS
  'The versions of a table while it bore one name, newest first; the last one says which name it had before, if any, and the '
  'event that says so.';

-- Its former form did not say where rows stand.
DROP FUNCTION IF EXISTS audit.life(text, text, text, timestamptz, bigint[], boolean, boolean);
CREATE OR REPLACE FUNCTION audit.life(
  source text, named_schema text, named_table text, until timestamptz,
  before_place bigint[] DEFAULT ARRAY[9223372036854775807], across_swaps boolean DEFAULT false,
  is_swapped boolean DEFAULT false
)
RETURNS TABLE (
  schema_name text, table_name text, from_place bigint[], to_place bigint[], shape jsonb, since timestamptz,
  detail jsonb, swapped boolean, stored_schema text, stored_table text, partition text
)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  name_schema text := named_schema;
  name_table text := named_table;
  bound bigint[] := before_place;
  upper bigint[] := before_place;
  given_up bigint[];
  version record;
  swap jsonb;
  swaps jsonb[] := '{}';
BEGIN
  swapped := is_swapped;
  LOOP
    FOR version IN
      SELECT * FROM audit.versions_named(source, name_schema, name_table, until, bound, upper)
    LOOP
      SELECT version.schema_name, version.table_name, version.from_place, version.to_place, version.shape,
        version.since, version.detail
      INTO schema_name, table_name, from_place, to_place, shape, since, detail;
      -- Rows of a partition stand under the name of its table.
      stored_schema := coalesce(shape -> 'root' ->> 'schema', schema_name);
      stored_table := coalesce(shape -> 'root' ->> 'table', table_name);
      partition := CASE WHEN shape ? 'root' THEN audit.partition_name(schema_name, table_name) END;
      RETURN NEXT;
    END LOOP;
    EXIT WHEN version.renamed_from IS NULL;
    bound := from_place;
    -- A shadow table that took the name in the transaction in which the table gave it up.
    given_up := audit.name_given_up(version.event, name_schema, name_table);
    IF across_swaps AND given_up IS NOT NULL THEN
      swaps := swaps || jsonb_build_object('schema', name_schema, 'table', name_table, 'place', to_jsonb(given_up));
    END IF;
    name_schema := version.renamed_from ->> 'schema';
    name_table := version.renamed_from ->> 'table';
    -- Transactions that were open across the rename of a schema may still write under the old name, until another
    -- table takes it.
    upper := least(audit.name_taken_again(source, name_schema, name_table, bound), before_place);
    -- The end of the old name stands in the same transaction.
    bound := coalesce(audit.name_given_up(version.event, name_schema, name_table), bound);
  END LOOP;
  FOREACH swap IN ARRAY swaps LOOP
    RETURN QUERY SELECT * FROM audit.life(source, swap ->> 'schema', swap ->> 'table', until,
      ARRAY(SELECT jsonb_array_elements_text(swap -> 'place')::bigint), true, true);
  END LOOP;
END
$$;
COMMENT ON FUNCTION audit.life(text, text, text, timestamptz, bigint[], boolean, boolean) IS
  'The versions of the table that bore a name at a time, newest first: what it was called, between which places, its '
  'shape, null when no event tells, and the name that its rows stand under, for a partition that of its table. Across swaps: also those of the tables that '
  'bore the name until another took it over by a rename in the same transaction.';

CREATE OR REPLACE FUNCTION audit.column_of(shape jsonb, newer_shape jsonb, newer_name text)
RETURNS text
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE
    WHEN shape IS NULL OR newer_shape IS NULL THEN newer_name
    -- Within one table columns are told by number, which a rename keeps; of two tables by name.
    WHEN shape -> 'relation' = newer_shape -> 'relation' AND wanted.entry ? 'number' THEN (
      SELECT entry ->> 'name' FROM jsonb_array_elements(shape -> 'columns') AS listed (entry)
      WHERE entry -> 'number' = wanted.entry -> 'number'
    )
    ELSE (
      SELECT entry ->> 'name' FROM jsonb_array_elements(shape -> 'columns') AS listed (entry)
      WHERE entry ->> 'name' = newer_name
    )
  END
  FROM (
    SELECT (
      SELECT entry FROM jsonb_array_elements(newer_shape -> 'columns') AS listed (entry)
      WHERE entry ->> 'name' = newer_name
    ) AS entry
  ) AS wanted
$$;
COMMENT ON FUNCTION audit.column_of(jsonb, jsonb, text) IS
  'What a column of a newer shape was called in an older one; null when it was not there.';

CREATE OR REPLACE FUNCTION audit.column_type(shape jsonb, name text)
RETURNS text
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT entry ->> 'type' FROM jsonb_array_elements(shape -> 'columns') AS listed (entry) WHERE entry ->> 'name' = name
$$;
COMMENT ON FUNCTION audit.column_type(jsonb, text) IS 'A column''s type in a shape.';

CREATE OR REPLACE FUNCTION audit.value_as(value jsonb, type text)
RETURNS jsonb
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE
    WHEN type IN ('smallint', 'integer', 'bigint', 'numeric') THEN
      CASE WHEN jsonb_typeof(value) = 'string' AND value #>> '{}' ~ '^-?\d+(\.\d+)?$'
        THEN to_jsonb((value #>> '{}')::numeric) ELSE value END
    WHEN type IN ('text', 'character varying', 'character', 'uuid') THEN
      CASE WHEN jsonb_typeof(value) = 'number' THEN to_jsonb(value #>> '{}') ELSE value END
    -- As JSON has them: 2026-01-07, 2026-01-07T00:00:00 and 2026-01-07T00:00:00Z.
    WHEN jsonb_typeof(value) <> 'string' THEN value
    WHEN type = 'date' THEN to_jsonb(regexp_replace(value #>> '{}', '^(\d+-\d\d-\d\d)T00:00:00Z?', '\1'))
    WHEN type IN ('timestamp without time zone', 'timestamp with time zone') THEN to_jsonb(regexp_replace(
      regexp_replace(value #>> '{}', '^(\d+-\d\d-\d\d)(?!T)', '\1T00:00:00'), '(T[\d:.]+)Z?( BC)?$',
      CASE type WHEN 'timestamp with time zone' THEN '\1Z\2' ELSE '\1\2' END))
    ELSE value
  END
$$;
COMMENT ON FUNCTION audit.value_as(jsonb, text) IS
  'A key''s value as a column of another type holds it: numbers as texts, texts of digits as numbers, dates as times and times '
  'of midnight as dates. Times with a time zone are taken for UTC, in which the log has them.';

CREATE OR REPLACE FUNCTION audit.key_in(shape jsonb, newer_shape jsonb, newer_key jsonb)
RETURNS jsonb
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE
    WHEN shape IS NULL OR newer_shape IS NULL OR shape = newer_shape THEN newer_key
    -- A key column of then that the key of now lacks leaves the record unnamed there.
    ELSE (
      SELECT CASE WHEN bool_and(part.value IS NOT NULL) THEN jsonb_object_agg(part.old_name, part.value) END
      FROM (
        SELECT old_name, (
          SELECT audit.value_as(value, audit.column_type(shape, old_name))
          FROM jsonb_each(newer_key) AS given (name, value)
          WHERE audit.column_of(shape, newer_shape, given.name) = old_name
        ) AS value
        FROM jsonb_array_elements_text(shape -> 'key') AS listed (old_name)
      ) AS part
    )
  END
$$;
COMMENT ON FUNCTION audit.key_in(jsonb, jsonb, jsonb) IS
  'How a key of a newer shape reads in an older one; null when it can''t be told from the key alone.';
