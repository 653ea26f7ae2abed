CREATE OR REPLACE FUNCTION capture.shape_signal_body(reason text, command text, shape jsonb)
RETURNS jsonb
LANGUAGE sql
RETURN jsonb_build_object('number', nextval('capture.catalog_number'), 'reason', reason, 'command', command) || shape;
COMMENT ON FUNCTION capture.shape_signal_body(text, text, jsonb) IS
  'The body of a catalog signal: its number, why it is sent, the command tag of the DDL if any, and the shape. Call it once '
  'the row of the table in capture.watched_tables is locked, so that signals of a table are numbered as they commit.';

CREATE OR REPLACE FUNCTION capture.fitting_body(body jsonb)
RETURNS jsonb
LANGUAGE plpgsql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF length(body::text) > capture.signal_limit() THEN
    body := body - ARRAY['added', 'changes', 'foreign_keys'];
  END IF;
  IF length(body::text) > capture.signal_limit() THEN
    body := jsonb_set(body, '{columns}', (
      SELECT jsonb_agg(column_shape - ARRAY['number', 'declared', 'identity'] ORDER BY place)
      FROM jsonb_array_elements(body -> 'columns') WITH ORDINALITY AS listed (column_shape, place)));
  END IF;
  RETURN body;
END
$$;
COMMENT ON FUNCTION capture.fitting_body(jsonb) IS
  'The body of a catalog signal, without what readers can do without if the whole does not fit a signal.';

CREATE OR REPLACE FUNCTION capture.follow_columns(
  listed text[], old_column_names text[], new_column_names text[], selected text[]
)
RETURNS text[]
LANGUAGE plpgsql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  with_renamed text[] := listed;
BEGIN
  IF listed <> '{}' THEN
    with_renamed := listed || ARRAY(
      SELECT new_name
      FROM unnest(old_column_names, new_column_names) AS pair (old_name, new_name)
      WHERE old_name <> new_name AND old_name = ANY (listed));
  END IF;
  IF coalesce(selected, '{}') = '{}' THEN
    RETURN with_renamed;
  END IF;
  RETURN with_renamed || ARRAY(
    SELECT name
    FROM unnest(new_column_names) AS name
    WHERE array_position(old_column_names, name) IS NULL AND name = ANY (selected) AND name <> ALL (with_renamed));
END
$$;
COMMENT ON FUNCTION capture.follow_columns(text[], text[], text[], text[]) IS
  'The ignored or redacted columns of a table after DDL: those listed, the new names of those that were renamed, and the '
  'added columns that the selection names. Column names stand by attribute number, null where dropped.';

CREATE OR REPLACE FUNCTION capture.take_rewritten(relation oid)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  noted text[] := coalesce(string_to_array(nullif(current_setting('capture.rewritten', true), ''), ' '), '{}');
BEGIN
  IF relation::text <> ALL (noted) THEN
    RETURN false;
  END IF;
  PERFORM set_config('capture.rewritten', array_to_string(array_remove(noted, relation::text), ' '), true);
  RETURN true;
END
$$;
COMMENT ON FUNCTION capture.take_rewritten(oid) IS
  'Whether the DDL that runs gave rows of a table or its partitions new values. Asked again, it returns false.';

CREATE OR REPLACE FUNCTION capture.publish_membership(root jsonb, change text, partition_name text[], command text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  watched capture.watched_tables;
BEGIN
  SELECT * INTO watched FROM capture.watched_tables WHERE relation = (root ->> 'relation')::oid AND shape IS NOT NULL;
  IF FOUND THEN
    PERFORM capture.write_signal('catalog', watched.schema_name, watched.table_name, capture.fitting_body(
      capture.shape_signal_body('ddl', command, watched.shape) || jsonb_build_object('rewritten', false,
        'changes', jsonb_build_array(jsonb_build_object('change', change,
          'partition', jsonb_build_object('schema', partition_name[1], 'table', partition_name[2])))))::text);
  END IF;
END
$$;
COMMENT ON FUNCTION capture.publish_membership(jsonb, text, text[], text) IS
  'Tells under the name of a partitioned table that a table became one of its partitions, with the rows that it had, or is '
  'none any more.';

CREATE OR REPLACE FUNCTION capture.write_shape(relation regclass, name text[], body jsonb)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  body := capture.fitting_body(body);
  IF length(body::text) > capture.signal_limit() THEN
    RAISE WARNING 'the shape of % does not fit a signal: only its key, ignored and redacted columns are described',
      relation;
    body := jsonb_set(body, '{columns}', coalesce((
      SELECT jsonb_agg(column_shape ORDER BY ordinality)
      FROM jsonb_array_elements(body -> 'columns') WITH ORDINALITY AS listed (column_shape, ordinality)
      WHERE column_shape ?| '{ignored,redacted}' OR body -> 'key' ? (column_shape ->> 'name')), '[]'));
  END IF;
  PERFORM capture.write_signal('catalog', name[1], name[2], body::text);
END
$$;
COMMENT ON FUNCTION capture.write_shape(regclass, text[], jsonb) IS
  'Writes the catalog signal of a table, without what does not fit.';

CREATE OR REPLACE FUNCTION capture.warn_of_hidden_key(
  relation regclass, shape jsonb, fallback_index regclass, redacted_columns text[]
)
RETURNS void
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF redacted_columns <> '{}' AND shape ->> 'key' = '[]'
    AND capture.key_columns(relation, fallback_index) && redacted_columns THEN
    RAISE WARNING '% has a redacted column in its key: its audit events carry no key', relation;
  END IF;
END
$$;
COMMENT ON FUNCTION capture.warn_of_hidden_key(regclass, jsonb, regclass, text[]) IS
  'Warns when a table has no key because a redacted column is part of it.';

-- Its former form had one argument more, with a default.
DROP FUNCTION IF EXISTS capture.publish_shape(regclass, text, text, boolean);
CREATE OR REPLACE FUNCTION capture.publish_shape(relation regclass, reason text, command text DEFAULT NULL)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  watched capture.watched_tables;
  new_name text[];
  new_column_names text[] := capture.column_names(relation);
  new_ignored text[];
  new_redacted text[];
  now_disabled text[];
  new_key_index oid;
  rewritten boolean;
  entry capture.selection;
  new_shape jsonb;
  body jsonb;
BEGIN
  SELECT * INTO watched FROM capture.watched_tables WHERE watched_tables.relation = publish_shape.relation;
  SELECT ARRAY[nspname, relname]::text[] INTO new_name
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
  WHERE pg_class.oid = publish_shape.relation;

  entry := capture.selection_entry(coalesce(watched.partition_of, watched.relation));
  new_ignored := capture.follow_columns(
    watched.ignored_columns, watched.column_names, new_column_names, entry.ignored_columns);
  new_redacted := capture.follow_columns(
    watched.redacted_columns, watched.column_names, new_column_names, entry.redacted_columns);
  now_disabled := capture.disabled_triggers(relation);
  rewritten := capture.take_rewritten(relation);
  IF watched.shape IS NOT NULL OR reason = 'republish' THEN
    new_shape := capture.shape(relation, new_ignored, new_redacted, watched.original_identity_index);
  END IF;
  new_key_index := capture.key_index(relation, watched.original_identity_index, new_ignored || new_redacted);
  IF reason <> 'ddl' OR new_key_index IS DISTINCT FROM watched.key_index THEN
    PERFORM capture.warn_of_hidden_key(relation, new_shape, watched.original_identity_index, new_redacted);
  END IF;
  IF reason = 'ddl' AND NOT rewritten AND new_shape IS NOT DISTINCT FROM watched.shape
    AND now_disabled = watched.disabled_triggers AND new_name = ARRAY[watched.schema_name, watched.table_name] THEN
    UPDATE capture.watched_tables SET key_index = new_key_index
    WHERE watched_tables.relation = publish_shape.relation AND key_index IS DISTINCT FROM new_key_index;
    RETURN false;
  END IF;

  UPDATE capture.watched_tables SET
    schema_name = new_name[1],
    table_name = new_name[2],
    column_names = new_column_names,
    ignored_columns = new_ignored,
    redacted_columns = new_redacted,
    disabled_triggers = now_disabled,
    key_index = new_key_index,
    shape = new_shape
  WHERE watched_tables.relation = publish_shape.relation;
  IF new_shape IS NULL THEN
    RETURN false;
  END IF;

  IF new_name <> ARRAY[watched.schema_name, watched.table_name] AND watched.shape IS NOT NULL THEN
    PERFORM capture.publish_drop(watched, command);
  END IF;
  body := capture.shape_signal_body(reason, command, new_shape);
  IF reason = 'ddl' THEN
    body := body || capture.ddl_facts(
      watched, new_name, new_shape, new_column_names, new_redacted, now_disabled, rewritten);
  END IF;
  PERFORM capture.write_shape(relation, new_name, body);
  IF reason = 'ddl' AND watched.shape #> '{root,relation}' IS DISTINCT FROM new_shape #> '{root,relation}' THEN
    PERFORM
      capture.publish_membership(watched.shape -> 'root', 'partition detached', new_name, command),
      capture.publish_membership(new_shape -> 'root', 'partition attached', new_name, command);
  END IF;
  RETURN true;
END
$$;
COMMENT ON FUNCTION capture.publish_shape(regclass, text, text) IS
  'Writes the catalog signal of a watched table and remembers the shape; for the reason ddl only if anything about the '
  'table changed. Returns true when it wrote one.';

CREATE OR REPLACE FUNCTION capture.publish_drop(watched capture.watched_tables, command text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- Another table may take the name at once, and DMS still reads by name. So redacted columns stay redacted, and the
  -- default identity without a key promises nothing about old rows.
  PERFORM capture.write_signal('catalog', watched.schema_name, watched.table_name,
    capture.shape_signal_body('drop', command, watched.shape - 'foreign_keys' || jsonb_build_object(
      'replica_identity', 'default',
      'key', jsonb_build_array(),
      'columns', coalesce((
        SELECT jsonb_agg(column_shape ORDER BY ordinality)
        FROM jsonb_array_elements(watched.shape -> 'columns') WITH ORDINALITY AS listed (column_shape, ordinality)
        WHERE column_shape ? 'redacted'), '[]')))::text);
END
$$;
COMMENT ON FUNCTION capture.publish_drop(capture.watched_tables, text) IS
  'Signals that the table of a watched name is gone. Its redacted columns stay redacted.';

CREATE OR REPLACE FUNCTION capture.republish_shapes()
RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
-- Planning the queries for each table takes longer than running them.
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  watched regclass;
  published integer := 0;
BEGIN
  PERFORM capture.watch_new_partitions();
  FOR watched IN
    SELECT relation FROM capture.watched_tables JOIN pg_class ON pg_class.oid = relation
    -- Earlier versions published no shape of a partitioned table.
    WHERE shape IS NOT NULL OR relkind = 'p' ORDER BY relation
    -- DDL that has not committed yet holds the row, and signals a newer shape itself.
    FOR UPDATE OF watched_tables SKIP LOCKED
  LOOP
    PERFORM capture.publish_shape(watched, 'republish');
    published := published + 1;
  END LOOP;
  RETURN published;
END
$$;
COMMENT ON FUNCTION capture.republish_shapes() IS
  'Publishes the shape of every watched table again and returns how many. Run it once the replication slot exists, and '
  'after maintenance. It also watches partitions that were missed.';

-- Only an upgrade finds any: an earlier version did not note the index.
UPDATE capture.watched_tables
SET key_index = capture.key_index(relation, original_identity_index, ignored_columns || redacted_columns)
WHERE key_index IS NULL AND shape ->> 'key' <> '[]';
