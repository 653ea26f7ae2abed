-- Undo is text for a person to read and run at the source. Nothing here writes.

CREATE OR REPLACE FUNCTION audit.left_alone(event audit.events, shape jsonb)
RETURNS TABLE (name text, reason text)
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT DISTINCT ON (touched.name) touched.name, why.reason
  FROM (
    SELECT jsonb_object_keys(CASE event.operation WHEN 'insert' THEN NULL ELSE event.before END)
    UNION
    SELECT jsonb_object_keys(event.before_patches)
    UNION
    SELECT unnest(event.unknown_columns) WHERE event.operation <> 'insert'
  ) AS touched (name)
  LEFT JOIN LATERAL (
    SELECT entry FROM jsonb_array_elements(shape -> 'columns') AS listed (entry) WHERE entry ->> 'name' = touched.name
  ) AS described ON true
  CROSS JOIN LATERAL (
    VALUES
      (shape IS NOT NULL AND described.entry IS NULL, 'the table has no such column any more'),
      (coalesce((described.entry -> 'redacted')::boolean, false) OR event.before -> touched.name = '"[redacted]"',
        'its value was redacted, so the log does not hold it'),
      (described.entry ? 'generated', 'the database computes it'),
      (NOT coalesce(event.before ? touched.name, false), 'its old value is unknown'),
      (touched.name = ANY (event.untyped_columns), 'its value is known as text alone, not in its type')
  ) AS why (applies, reason)
  WHERE why.applies
  ORDER BY touched.name
$$;
COMMENT ON FUNCTION audit.left_alone(audit.events, jsonb) IS
  'The columns that undoing an event does not set, and why.';

CREATE OR REPLACE FUNCTION audit.only_columns(image jsonb, names text[])
RETURNS text
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(jsonb_object_agg(name, value), '{}')::text
  FROM jsonb_each(image) AS part (name, value) WHERE name = ANY (names)
$$;
COMMENT ON FUNCTION audit.only_columns(jsonb, text[]) IS
  'An image of some columns alone, so that no placeholder of another is read as a value.';

CREATE OR REPLACE FUNCTION audit.same_values(shape jsonb, names text[])
RETURNS text
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  -- As texts, since not every type has an equality; json keeps its spelling, so it is compared as jsonb.
  SELECT string_agg(CASE WHEN audit.column_type(shape, name) = 'json'
    THEN format('target.%1$I::jsonb IS NOT DISTINCT FROM expected.%1$I::jsonb', name)
    ELSE format('target.%1$I::text IS NOT DISTINCT FROM expected.%1$I::text', name) END, ' AND ' ORDER BY name)
  FROM unnest(names) AS listed (name)
$$;
COMMENT ON FUNCTION audit.same_values(jsonb, text[]) IS
  'The condition that a row still holds what is expected in some columns.';

CREATE OR REPLACE FUNCTION audit.in_the_way(event audit.events, names text[], undone uuid[])
RETURNS text
-- In plpgsql, so that a session plans it once: a script asks it for each of its changes.
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  later audit.events;
BEGIN
  FOR later IN
    SELECT touch.* FROM audit.touches(event.source_id, event.schema_name, event.table_name, NULL, event.record_key,
      audit.place(event.stream_order, event.committed_at, event.transaction_id, event.sequence),
      ARRAY[9223372036854775807]) AS touch
    ORDER BY audit.place(touch.stream_order, touch.committed_at, touch.transaction_id, touch.sequence)
  LOOP
    CONTINUE WHEN later.event_id = event.event_id OR later.event_id = ANY (undone);
    CONTINUE WHEN NOT coalesce(CASE later.operation
      WHEN 'update' THEN later.before ?| names OR coalesce(later.before_patches ?| names, false)
      WHEN 'baseline' THEN event.after IS NULL OR EXISTS (
        SELECT FROM unnest(names) AS listed (name) WHERE event.after -> name <> later.after -> name)
      ELSE true
    END, false);
    RETURN (
      SELECT format('%s at %s', CASE later.operation
          WHEN 'baseline' THEN 'a full load read it' || CASE event.operation WHEN 'delete' THEN '' ELSE ' with other values' END
          ELSE format('%s by %s', CASE later.operation WHEN 'delete' THEN 'it was deleted'
            WHEN 'insert' THEN 'it was inserted again' ELSE 'it was changed' END,
            coalesce(log.actor, 'somebody who is not named')) END,
        to_char(later.committed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
      FROM audit.log WHERE log."time" = later.committed_at AND log.event_id = later.event_id
    );
  END LOOP;
  IF event.operation = 'delete' THEN
    RETURN NULL;
  END IF;
  RETURN (
    SELECT 'it was not there any more when its table was loaded at ' || ((holder.ended_by).context ->> 'started_at')
    FROM audit.holder(event.source_id, event.schema_name, event.table_name, event.record_key, 'infinity') AS holder
  );
END
$$;
COMMENT ON FUNCTION audit.in_the_way(audit.events, text[], uuid[]) IS
  'The first change since, as far as the log knows, of what undoing an event would set, or the full load that did not find '
  'the record any more; null when there is none.';

CREATE OR REPLACE FUNCTION audit.undo_sql(
  event audit.events, relation text, shape jsonb, set_columns text[], key_columns text[]
)
RETURNS text
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE event.operation
    WHEN 'update' THEN format(
      E'  UPDATE %1$s AS target SET %2$s\n'
      '  FROM jsonb_populate_record(NULL::%1$s, %3$L) AS expected, jsonb_populate_record(NULL::%1$s, %4$L) AS old\n'
      '  WHERE %5$s AND %6$s',
      relation, parts.assignments, audit.only_columns(event.after, set_columns || key_columns),
      audit.only_columns(event.before, set_columns), parts.same_key_expected,
      audit.same_values(shape, set_columns))
    WHEN 'insert' THEN format(
      E'  DELETE FROM %1$s AS target\n  USING jsonb_populate_record(NULL::%1$s, %2$L) AS expected\n  WHERE %3$s AND %4$s',
      relation, audit.only_columns(event.after, set_columns || key_columns),
      parts.same_key_expected, audit.same_values(shape, set_columns))
    ELSE format(
      E'  INSERT INTO %1$s (%2$s) OVERRIDING SYSTEM VALUE\n'
      '  SELECT %3$s FROM jsonb_populate_record(NULL::%1$s, %4$L) AS old\n'
      '  WHERE NOT EXISTS (SELECT FROM %1$s AS target WHERE %5$s)',
      relation, parts.names, parts.old_values, audit.only_columns(event.before, set_columns || key_columns),
      parts.same_key)
  END
  FROM (
    SELECT
      (SELECT string_agg(format('%1$I = old.%1$I', name), ', ') FROM unnest(set_columns) AS listed (name)) AS assignments,
      (SELECT string_agg(format('%I', name), ', ') FROM unnest(set_columns) AS listed (name)) AS names,
      (SELECT string_agg(format('old.%I', name), ', ') FROM unnest(set_columns) AS listed (name)) AS old_values,
      (SELECT string_agg(format('target.%1$I = old.%1$I', name), ' AND ') FROM unnest(key_columns) AS listed (name))
        AS same_key,
      (SELECT string_agg(format('target.%1$I = expected.%1$I', name), ' AND ')
        FROM unnest(key_columns) AS listed (name)) AS same_key_expected
  ) AS parts
$$;
COMMENT ON FUNCTION audit.undo_sql(audit.events, text, jsonb, text[], text[]) IS
  'The UPDATE, DELETE or INSERT that takes one change back; it touches no row that is not as the change left it.';

CREATE OR REPLACE FUNCTION audit.undo_statement(event audit.events, undone uuid[])
RETURNS text
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  final record;
  shape jsonb;
  relation text;
  record_name text;
  set_columns text[];
  key_columns text[] := ARRAY(SELECT jsonb_object_keys(event.record_key));
  notes text;
  obstacle text;
  statement text;
  problem text;
BEGIN
  SELECT * INTO final FROM audit.name_at_end(event.source_id, event.schema_name, event.table_name);
  SELECT life.shape INTO shape
  FROM audit.life(event.source_id, final.last_schema, final.last_table, 'infinity') AS life LIMIT 1;
  relation := format('%I.%I', final.last_schema, final.last_table);
  record_name := relation || ' ' || coalesce(event.record_key::text, '');
  IF event.record_key IS NULL THEN
    RAISE EXCEPTION 'the % of % can''t be undone: its record has no known key', event.operation, relation
      USING ERRCODE = 'feature_not_supported';
  END IF;
  IF shape IS NOT NULL AND NOT shape -> 'key' @> to_jsonb(key_columns) THEN
    RAISE EXCEPTION 'the % of % can''t be undone: its key is not made of % any more', event.operation, record_name,
      array_to_string(key_columns, ', ')
      USING ERRCODE = 'feature_not_supported',
        HINT = 'audit.history shows the values; write the statement with the columns of today.';
  END IF;
  SELECT string_agg(format(E'-- %s of %s stays as it is: %s.\n', kept.name, relation, kept.reason), '' ORDER BY kept.name)
  INTO notes
  FROM audit.left_alone(event, shape) AS kept;
  set_columns := ARRAY(
    SELECT name FROM jsonb_object_keys(CASE event.operation WHEN 'insert' THEN event.after ELSE event.before END)
      AS listed (name)
    WHERE name NOT IN (SELECT kept.name FROM audit.left_alone(event, shape) AS kept)
      -- Of an inserted row: what the log knows in its type is what the row must still be.
      AND NOT (event.operation = 'insert' AND (name = ANY (coalesce(event.untyped_columns, '{}'))
        OR event.after -> name = '"[redacted]"'
        OR shape IS NOT NULL AND audit.column_type(shape, name) IS NULL))
    ORDER BY 1);
  obstacle := audit.in_the_way(event, set_columns, undone);
  problem := format('%s is not as this change left it%s; nothing was undone', record_name,
    coalesce(': ' || obstacle, ''));
  IF set_columns = '{}' AND event.operation = 'update' THEN
    RETURN coalesce(notes, '') || format(E'-- Nothing to undo: %s.\n', record_name);
  END IF;
  statement := audit.undo_sql(event, relation, shape, set_columns, key_columns);
  IF event.operation = 'delete' THEN
    problem := format('%s is there again%s; nothing was undone', record_name, coalesce(': ' || obstacle, ''));
  END IF;
  RETURN coalesce(notes, '')
    || CASE WHEN obstacle IS NULL THEN '' ELSE format(E'-- In the way: %s.\n', obstacle) END
    || format(E'DO %s\nDECLARE\n  touched bigint;\nBEGIN\n%s;\n'
      '  GET DIAGNOSTICS touched = ROW_COUNT;\n'
      '  IF touched <> 1 THEN\n    RAISE EXCEPTION USING MESSAGE = %L;\n  END IF;\nEND\n%s;\n',
      quoting.mark, statement, problem, quoting.mark)
  FROM (
    -- A mark that the statement does not hold.
    SELECT '$undo' || CASE WHEN position('$undo$' IN statement || problem) = 0 THEN ''
      ELSE '_' || md5(statement) END || '$' AS mark
  ) AS quoting;
END
$$;
COMMENT ON FUNCTION audit.undo_statement(audit.events, uuid[]) IS
  'The statement that takes one change back, if its row is still as the change left it, with what it leaves alone.';

CREATE OR REPLACE FUNCTION audit.undo_script(events audit.events[])
RETURNS text
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  event audit.events;
  ids uuid[] := ARRAY(SELECT (listed).event_id FROM unnest(events) AS listed);
  statements text := '';
BEGIN
  SELECT * INTO event FROM unnest(events) AS listed WHERE listed.operation = 'truncate' LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'the TRUNCATE of % can''t be undone by a statement', format('%I.%I', event.schema_name, event.table_name)
      USING ERRCODE = 'feature_not_supported', HINT = format(
        'The rows it removed are those of audit.table_as_of(%L, %L): insert them again from there.',
        format('%I.%I', event.schema_name, event.table_name),
        to_char((event.committed_at - interval '1 microsecond') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'));
  END IF;
  -- The last change first, so that each finds what it left.
  FOR event IN
    SELECT listed.* FROM unnest(events) AS listed
    WHERE listed.operation IN ('insert', 'update', 'delete')
    ORDER BY audit.place(listed.stream_order, listed.committed_at, listed.transaction_id, listed.sequence) DESC
  LOOP
    event.before := audit.old_values(event);
    statements := statements || audit.undo_statement(event, ids);
  END LOOP;
  IF statements = '' THEN
    RETURN E'-- Nothing to undo.\n';
  END IF;
  RETURN E'BEGIN;\nSET CONSTRAINTS ALL DEFERRED;\n' || statements || E'COMMIT;\n';
END
$$;
COMMENT ON FUNCTION audit.undo_script(audit.events[]) IS
  'A transaction that takes changes back, the last one first; refused for a TRUNCATE.';

CREATE OR REPLACE FUNCTION audit.undo("time" timestamptz, event_id uuid)
RETURNS text
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  event audit.events;
BEGIN
  SELECT * INTO event FROM audit.events AS candidate WHERE candidate.committed_at = $1 AND candidate.event_id = $2;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the log has no event % at %', $2, $1 USING ERRCODE = 'no_data_found',
      HINT = 'Both stand in audit.log, as event_id and "time", to the microsecond.';
  END IF;
  RETURN audit.undo_script(ARRAY[event]);
END
$$;
COMMENT ON FUNCTION audit.undo(timestamptz, uuid) IS
  'The SQL that takes one change back, to read and then to run at the source. It fails where the row was changed since, '
  'and names what it leaves alone: redacted, generated, unknown and untyped values. Runs nothing itself.';

CREATE OR REPLACE FUNCTION audit.undo_transaction(
  id bigint, "time" timestamptz DEFAULT now(), source text DEFAULT NULL
)
RETURNS text
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT audit.undo_script(coalesce(array_agg(event), '{}'))
  FROM audit.transaction($1, $2, $3) AS change
  JOIN audit.events AS event ON event.committed_at = change."time" AND event.event_id = change.event_id
$$;
COMMENT ON FUNCTION audit.undo_transaction(bigint, timestamptz, text) IS
  'The SQL that takes a transaction back: see audit.undo and audit.transaction.';

CREATE OR REPLACE FUNCTION audit.undo_acts(
  actor text, since timestamptz, until timestamptz DEFAULT now(), source text DEFAULT NULL
)
RETURNS text
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT audit.undo_script(coalesce(array_agg(event), '{}'))
  FROM audit.acts($1, $2, $3, $4) AS change
  JOIN audit.events AS event ON event.committed_at = change."time" AND event.event_id = change.event_id
$$;
COMMENT ON FUNCTION audit.undo_acts(text, timestamptz, timestamptz, text) IS
  'The SQL that takes back what an actor changed in a span of time: see audit.undo and audit.acts.';
