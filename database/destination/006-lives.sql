-- A record is not its name. The functions here tell what a table was called when, how its rows looked then, and how a
-- key of today reads under an older name or shape. The functions for readers stand on them.

CREATE OR REPLACE FUNCTION audit.place(
  stream_order bigint, committed_at timestamptz, transaction_id bigint, sequence integer
)
RETURNS bigint[]
LANGUAGE sql
IMMUTABLE
PARALLEL SAFE
AS $$
  SELECT ARRAY[
    coalesce(stream_order, (extract(epoch FROM committed_at) * 1000000)::bigint),
    coalesce(transaction_id, 0), coalesce(sequence, 0)
  ]
$$;
COMMENT ON FUNCTION audit.place(bigint, timestamptz, bigint, integer) IS
  'Where an event stands among those of its source, to sort and compare by. The stream''s order where it was noted; '
  'where it was not, the commit time in microseconds, which is on the same scale.';

CREATE OR REPLACE FUNCTION audit.renamed_from(event audit.events)
RETURNS jsonb
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(
    event.context -> 'renamed_from',
    -- An earlier version did not say it. There the drop of a name and the first shape of another, alike and in one
    -- transaction, are a rename.
    CASE WHEN event.context ->> 'reason' = 'ddl' AND coalesce(event.before -> 'columns', '[]') = '[]' THEN (
      SELECT jsonb_build_object('schema', gone.schema_name, 'table', gone.table_name)
      FROM audit.events AS gone
      WHERE gone.transaction_id = event.transaction_id AND gone.committed_at = event.committed_at
        AND gone.source_id = event.source_id AND gone.operation = 'schema'
        AND gone.context ->> 'reason' = 'drop' AND gone.sequence < event.sequence
        AND (gone.schema_name, gone.table_name) <> (event.schema_name, event.table_name)
        AND gone.before -> 'columns' = event.after -> 'columns'
      ORDER BY gone.sequence DESC
      LIMIT 1
    ) END
  )
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

CREATE OR REPLACE FUNCTION audit.life(
  source text, named_schema text, named_table text, until timestamptz,
  before_place bigint[] DEFAULT ARRAY[9223372036854775807], across_swaps boolean DEFAULT false
)
RETURNS TABLE (
  schema_name text, table_name text, from_place bigint[], to_place bigint[], shape jsonb, since timestamptz,
  detail jsonb, swapped boolean
)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  name_schema text := named_schema;
  name_table text := named_table;
  bound bigint[] := before_place;
  upper bigint[] := before_place;
  event audit.events;
  event_place bigint[];
  given_up bigint[];
  ended bigint[];
  previous jsonb;
  -- Whether the OUT columns hold a version whose beginning is not known yet.
  pending boolean := false;
  swaps jsonb[] := '{}';
  swap jsonb;
BEGIN
  swapped := false;
  LOOP
    previous := NULL;
    given_up := NULL;
    FOR event IN
      SELECT * FROM audit.events AS candidate
      WHERE candidate.operation = 'schema' AND candidate.table_name = name_table
        AND candidate.schema_name = name_schema AND candidate.source_id = source AND candidate.committed_at <= until
        AND audit.place(candidate.stream_order, candidate.committed_at, candidate.transaction_id, candidate.sequence)
          < bound
      ORDER BY
        audit.place(candidate.stream_order, candidate.committed_at, candidate.transaction_id, candidate.sequence) DESC
    LOOP
      event_place := audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence);
      IF event.context ->> 'reason' = 'drop' THEN
        given_up := event_place;
        EXIT;
      END IF;
      IF pending THEN
        RETURN NEXT;
        upper := from_place;
      END IF;
      schema_name := name_schema;
      table_name := name_table;
      from_place := event_place;
      to_place := upper;
      shape := event.after;
      since := event.committed_at;
      detail := event.context;
      pending := true;
      previous := audit.renamed_from(event);
      EXIT WHEN previous IS NOT NULL;
    END LOOP;
    IF previous IS NULL THEN
      -- Here the life begins; or no event tells of the table's shape, perhaps of one that took a dropped name.
      IF NOT pending THEN
        schema_name := name_schema;
        table_name := name_table;
        to_place := upper;
        shape := NULL;
        since := NULL;
        detail := NULL;
      END IF;
      from_place := coalesce(given_up, '{}');
      RETURN NEXT;
      EXIT;
    END IF;
    RETURN NEXT;
    pending := false;
    bound := from_place;
    -- A shadow table that took the name in the transaction in which the table gave it up.
    IF across_swaps THEN
      given_up := audit.name_given_up(event, name_schema, name_table);
      IF given_up IS NOT NULL THEN
        swaps := swaps || jsonb_build_object('schema', name_schema, 'table', name_table, 'place', to_jsonb(given_up));
      END IF;
    END IF;
    name_schema := previous ->> 'schema';
    name_table := previous ->> 'table';
    -- Transactions that were open across the rename of a schema may still write under the old name, until another
    -- table takes it.
    upper := coalesce(audit.name_taken_again(source, name_schema, name_table, bound), before_place);
    -- The end of the old name stands in the same transaction.
    ended := audit.name_given_up(event, name_schema, name_table);
    bound := coalesce(ended, bound);
  END LOOP;
  FOREACH swap IN ARRAY swaps LOOP
    RETURN QUERY
      SELECT earlier.schema_name, earlier.table_name, earlier.from_place, earlier.to_place, earlier.shape,
        earlier.since, earlier.detail, true
      FROM audit.life(
        source, swap ->> 'schema', swap ->> 'table', until,
        ARRAY(SELECT jsonb_array_elements_text(swap -> 'place')::bigint), true) AS earlier;
  END LOOP;
END
$$;
COMMENT ON FUNCTION audit.life(text, text, text, timestamptz, bigint[], boolean) IS
  'The versions of the table that bore a name at a time, newest first: what it was called, between which places, and its '
  'shape, null when no event tells. Across swaps: also those of the tables that '
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
    ELSE value
  END
$$;
COMMENT ON FUNCTION audit.value_as(jsonb, text) IS
  'A key''s value as a column of another type holds it: numbers as texts, texts of digits as numbers.';

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
