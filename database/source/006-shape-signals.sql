CREATE OR REPLACE FUNCTION capture.shape_signal_body(reason text, command text, shape jsonb)
RETURNS jsonb
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT jsonb_build_object('reason', reason, 'command', command) || shape
$$;
COMMENT ON FUNCTION capture.shape_signal_body(text, text, jsonb) IS
  'The body of a catalog signal: why it is sent, the command tag of the DDL if any, and the shape.';

CREATE OR REPLACE FUNCTION capture.follow_columns(
  listed text[], old_column_names text[], new_column_names text[], selected text[]
)
RETURNS text[]
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT with_renamed || ARRAY(
    SELECT name
    FROM unnest(new_column_names) AS name
    WHERE array_position(old_column_names, name) IS NULL AND name = ANY (selected) AND name <> ALL (with_renamed)
  )
  FROM (
    SELECT listed || ARRAY(
      SELECT new_name
      FROM unnest(old_column_names, new_column_names) AS pair (old_name, new_name)
      WHERE old_name <> new_name AND old_name = ANY (listed)
    ) AS with_renamed
  ) AS renamed
$$;
COMMENT ON FUNCTION capture.follow_columns(text[], text[], text[], text[]) IS
  'The ignored or redacted columns of a table after DDL: those listed, the new names of those that were renamed, and the '
  'added columns that the selection names. Column names stand by attribute number, null where dropped.';

CREATE OR REPLACE FUNCTION capture.publish_shape(
  relation regclass, reason text, command text DEFAULT NULL, only_if_changed boolean DEFAULT false
)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  watched capture.watched_tables;
  new_schema_name text;
  new_table_name text;
  new_column_names text[] := capture.column_names(relation);
  new_ignored text[];
  new_redacted text[];
  entry capture.selection;
  new_shape jsonb;
  body jsonb;
BEGIN
  SELECT * INTO watched FROM capture.watched_tables WHERE watched_tables.relation = publish_shape.relation;
  SELECT nspname, relname INTO new_schema_name, new_table_name
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
  WHERE pg_class.oid = publish_shape.relation;

  entry := capture.selection_entry(coalesce(watched.partition_of, watched.relation));
  new_ignored := capture.follow_columns(
    watched.ignored_columns, watched.column_names, new_column_names, entry.ignored_columns);
  new_redacted := capture.follow_columns(
    watched.redacted_columns, watched.column_names, new_column_names, entry.redacted_columns);
  IF watched.shape IS NOT NULL THEN
    new_shape := capture.shape(relation, new_ignored, new_redacted, watched.original_identity_index);
  END IF;
  IF only_if_changed AND new_shape IS NOT DISTINCT FROM watched.shape
    AND (new_schema_name, new_table_name) = (watched.schema_name, watched.table_name) THEN
    RETURN false;
  END IF;

  UPDATE capture.watched_tables SET
    schema_name = new_schema_name,
    table_name = new_table_name,
    column_names = new_column_names,
    ignored_columns = new_ignored,
    redacted_columns = new_redacted,
    shape = new_shape
  WHERE watched_tables.relation = publish_shape.relation
    AND (schema_name, table_name, column_names, ignored_columns, redacted_columns, shape)
      IS DISTINCT FROM (new_schema_name, new_table_name, new_column_names, new_ignored, new_redacted, new_shape);
  IF new_shape IS NULL THEN
    RETURN false;
  END IF;

  IF (new_schema_name, new_table_name) <> (watched.schema_name, watched.table_name) THEN
    PERFORM capture.publish_drop(watched, command);
  END IF;
  IF new_shape ->> 'key' = '[]' AND capture.key_columns(relation, watched.original_identity_index) && new_redacted THEN
    RAISE WARNING '% has a redacted column in its key: its audit events carry no key', relation;
  END IF;
  body := capture.shape_signal_body(reason, command, new_shape);
  IF length(body::text) > capture.signal_limit() THEN
    RAISE WARNING 'the shape of % does not fit a signal: only its key, ignored and redacted columns are described',
      relation;
    body := jsonb_set(body, '{columns}', coalesce((
      SELECT jsonb_agg(column_shape ORDER BY ordinality)
      FROM jsonb_array_elements(body -> 'columns') WITH ORDINALITY AS listed (column_shape, ordinality)
      WHERE column_shape ?| '{ignored,redacted}' OR body -> 'key' ? (column_shape ->> 'name')), '[]'));
  END IF;
  PERFORM capture.write_signal('catalog', new_schema_name, new_table_name, body::text);
  RETURN true;
END
$$;
COMMENT ON FUNCTION capture.publish_shape(regclass, text, text, boolean) IS
  'Writes the catalog signal of a watched table and remembers the shape. Returns true when it wrote one.';

CREATE OR REPLACE FUNCTION capture.publish_drop(watched capture.watched_tables, command text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- Another table may take the name at once, and DMS still reads by name. So redacted columns stay redacted, and the
  -- default identity without a key promises nothing about old rows.
  PERFORM capture.write_signal('catalog', watched.schema_name, watched.table_name,
    capture.shape_signal_body('drop', command, watched.shape || jsonb_build_object(
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
AS $$
DECLARE
  watched regclass;
  published integer := 0;
BEGIN
  PERFORM capture.watch_new_partitions();
  FOR watched IN
    SELECT relation FROM capture.watched_tables JOIN pg_class ON pg_class.oid = relation
    WHERE shape IS NOT NULL ORDER BY relation
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
