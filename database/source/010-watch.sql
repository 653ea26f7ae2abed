CREATE OR REPLACE FUNCTION capture.statements_to_watch(
  target regclass, identify_actor boolean, replica_identity text
)
RETURNS text[]
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found pg_class;
  has_actor_trigger boolean;
  statements text[] := '{}';
  -- In one command: each that alters the table runs the event triggers.
  alterations text[] := '{}';
BEGIN
  SELECT * INTO found FROM pg_class WHERE oid = target;
  IF found.relkind = 'r' THEN
    IF replica_identity NOT IN ('keep', capture.replica_identity_word(found.relreplident)) THEN
      alterations := alterations || format('REPLICA IDENTITY %s', upper(replica_identity));
    END IF;
    IF NOT EXISTS (
      SELECT FROM pg_trigger WHERE tgrelid = target AND tgname = 'capture_truncate' AND tgenabled = 'A'
    ) THEN
      statements := statements || format('CREATE OR REPLACE TRIGGER capture_truncate AFTER TRUNCATE ON %s
        FOR EACH STATEMENT EXECUTE FUNCTION capture.on_truncate()', target);
      alterations := alterations || 'ENABLE ALWAYS TRIGGER capture_truncate'::text;
    END IF;
    IF NOT has_table_privilege('cdc_capture', target, 'SELECT') THEN
      statements := statements || format('GRANT SELECT ON %s TO cdc_capture', target);
    END IF;
    IF NOT has_schema_privilege('cdc_capture', found.relnamespace, 'USAGE') THEN
      statements := statements || format('GRANT USAGE ON SCHEMA %s TO cdc_capture', found.relnamespace::regnamespace);
    END IF;
  END IF;
  -- A trigger with a condition is of an earlier version. The function now checks for itself, which costs less.
  has_actor_trigger := EXISTS (
    SELECT FROM pg_trigger WHERE tgrelid = target AND tgname = 'capture_actor' AND (tgqual IS NULL OR NOT identify_actor));
  IF identify_actor <> has_actor_trigger THEN
    statements := statements || CASE WHEN has_actor_trigger THEN format('DROP TRIGGER capture_actor ON %s', target)
      ELSE format('CREATE OR REPLACE TRIGGER capture_actor BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s
        FOR EACH STATEMENT EXECUTE FUNCTION capture.identify_actor()', target)
    END;
  END IF;
  IF EXISTS (
    SELECT FROM pg_trigger WHERE tgrelid = target AND tgname = 'capture_actor' AND tgenabled NOT IN ('O', 'A')
  ) THEN
    alterations := alterations || 'ENABLE TRIGGER capture_actor'::text;
  END IF;
  IF alterations <> '{}' THEN
    statements := statements || format('ALTER TABLE %s %s', target, array_to_string(alterations, ', '));
  END IF;
  RETURN statements;
END
$$;
COMMENT ON FUNCTION capture.statements_to_watch(regclass, boolean, text) IS
  'The statements that give a table what watching it needs. Only what the table lacks is among them, because each takes a '
  'lock that stops writers for a moment.';

CREATE OR REPLACE FUNCTION capture.watch_relation(
  target regclass, partition_of regclass, ignored_columns text[], redacted_columns text[], identify_actor boolean,
  replica_identity text
)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  previous capture.watched_tables;
  found pg_class;
  schema_name text;
  new_shape jsonb;
  statements text[];
  statement text;
BEGIN
  SELECT * INTO previous FROM capture.watched_tables WHERE relation = target;
  SELECT * INTO found FROM pg_class WHERE oid = target;
  SELECT nspname INTO schema_name FROM pg_namespace WHERE oid = found.relnamespace;
  IF previous.relation IS NULL THEN
    previous.original_replica_identity := capture.replica_identity_word(found.relreplident);
    SELECT indexrelid INTO previous.original_identity_index FROM pg_index WHERE indrelid = target AND indisreplident;
  END IF;

  IF ignored_columns || redacted_columns <> '{}' THEN
    -- Names that were given before are not checked: their columns may be gone.
    PERFORM capture.check_columns(
      target,
      ARRAY(SELECT unnest(ignored_columns) EXCEPT SELECT unnest(previous.ignored_columns)),
      ARRAY(SELECT unnest(redacted_columns) EXCEPT SELECT unnest(previous.redacted_columns)),
      capture.key_columns(target, previous.original_identity_index, ignored_columns || redacted_columns));
  END IF;
  PERFORM capture.check_replica_identity(target, replica_identity);
  statements := capture.statements_to_watch(target, identify_actor, replica_identity);

  -- Without a shape the table is listed but not published, so the DDL triggers pass over our own statements.
  INSERT INTO capture.watched_tables AS listed (
    relation, schema_name, table_name, partition_of, ignored_columns, redacted_columns, identify_actor,
    replica_identity, original_replica_identity, original_identity_index, column_names
  ) VALUES (
    target, schema_name, found.relname, watch_relation.partition_of, watch_relation.ignored_columns,
    watch_relation.redacted_columns, watch_relation.identify_actor, watch_relation.replica_identity,
    previous.original_replica_identity, previous.original_identity_index, capture.column_names(target)
  )
  ON CONFLICT (relation) DO UPDATE SET
    schema_name = excluded.schema_name,
    table_name = excluded.table_name,
    partition_of = excluded.partition_of,
    ignored_columns = excluded.ignored_columns,
    redacted_columns = excluded.redacted_columns,
    identify_actor = excluded.identify_actor,
    replica_identity = excluded.replica_identity,
    column_names = excluded.column_names,
    shape = NULL,
    watched_at = excluded.watched_at;
  FOREACH statement IN ARRAY statements LOOP
    EXECUTE statement;
  END LOOP;

  PERFORM capture.warn_of_losses(ARRAY[target::oid]);
  new_shape := capture.shape(target, ignored_columns, redacted_columns, previous.original_identity_index);
  PERFORM capture.check_shape_fits(target, new_shape);
  UPDATE capture.watched_tables SET
    shape = new_shape,
    key_index = capture.key_index(target, previous.original_identity_index,
      watch_relation.ignored_columns || watch_relation.redacted_columns),
    disabled_triggers = capture.disabled_triggers(target)
  WHERE relation = target;
  IF previous.shape IS NOT NULL AND (schema_name, found.relname) <> (previous.schema_name, previous.table_name) THEN
    PERFORM capture.publish_drop(previous, NULL);
  END IF;
  IF new_shape IS DISTINCT FROM previous.shape
    OR (schema_name, found.relname) IS DISTINCT FROM (previous.schema_name, previous.table_name) THEN
    PERFORM capture.warn_of_hidden_key(target, new_shape, previous.original_identity_index, redacted_columns);
    PERFORM capture.write_shape(target, ARRAY[schema_name, found.relname]::text[],
      capture.shape_signal_body('watch', NULL, new_shape));
  END IF;
END
$$;
COMMENT ON FUNCTION capture.watch_relation(regclass, regclass, text[], text[], boolean, text) IS
  'Watches one table or partition. It makes only what is missing, and publishes a shape only if it changed.';

CREATE OR REPLACE FUNCTION capture.watch(
  target regclass,
  ignored_columns text[] DEFAULT NULL,
  redacted_columns text[] DEFAULT NULL,
  identify_actor boolean DEFAULT NULL,
  replica_identity text DEFAULT NULL
)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
-- Many tables are watched in one session: planning the queries for each takes longer than running them.
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  known capture.watched_tables;
  entry capture.selection;
  member record;
BEGIN
  IF replica_identity NOT IN ('full', 'default', 'keep') THEN
    RAISE EXCEPTION 'replica_identity is %; allowed are full, default and keep', quote_nullable(replica_identity)
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM capture.check_watchable(target);
  SELECT * INTO known FROM capture.watched_tables WHERE relation = target;
  IF known.relation IS NULL THEN
    entry := capture.selection_entry(target);
    known.ignored_columns := ARRAY(
      SELECT name FROM unnest(entry.ignored_columns) AS name WHERE name = ANY (capture.column_names(target)));
    known.redacted_columns := ARRAY(
      SELECT name FROM unnest(entry.redacted_columns) AS name WHERE name = ANY (capture.column_names(target)));
    known.identify_actor := coalesce(entry.identify_actor, false);
    known.replica_identity := coalesce(entry.replica_identity, 'full');
  END IF;
  FOR member IN
    SELECT pg_class.oid::regclass AS relation, relkind, relpersistence
    FROM (
      SELECT target AS relation
      UNION
      SELECT relid FROM pg_partition_tree(target)
    ) AS tree
    JOIN pg_class ON pg_class.oid = tree.relation
    ORDER BY pg_class.oid = target DESC, pg_class.oid
  LOOP
    IF member.relkind = 'f' OR member.relpersistence = 'u' THEN
      RAISE WARNING '% is %: its changes are not in the WAL', member.relation,
        CASE WHEN member.relkind = 'f' THEN 'a foreign table' ELSE 'unlogged' END;
      CONTINUE;
    END IF;
    -- A partition that was watched by its own name keeps its settings.
    CONTINUE WHEN member.relation <> target
      AND EXISTS (SELECT FROM capture.watched_tables WHERE relation = member.relation AND partition_of IS NULL);
    PERFORM capture.watch_relation(
      member.relation, CASE WHEN member.relation <> target THEN target END,
      coalesce(ignored_columns, known.ignored_columns), coalesce(redacted_columns, known.redacted_columns),
      coalesce(identify_actor, known.identify_actor), coalesce(replica_identity, known.replica_identity));
  END LOOP;
END
$$;
COMMENT ON FUNCTION capture.watch(regclass, text[], text[], boolean, text) IS
  'Puts a table under audit. Of a partitioned table it takes every partition, now and later; a partition that is watched '
  'by its own name keeps its settings. A change of ignored columns alone writes no event. Redacted columns never show a '
  'value. identify_actor writes a context from the session for transactions without one. replica_identity is full (old '
  'values are known), default (only old keys are known) or keep. Call it again to change settings; what is not given stays '
  'as it is. For a new table the default is what the selection says, else no columns, no actor, and full. It needs '
  'ownership of the table. It locks each new table against writers for a moment.';

CREATE OR REPLACE FUNCTION capture.needs_watch(
  target regclass, ignored_columns text[], redacted_columns text[], identify_actor boolean, replica_identity text
)
RETURNS boolean
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN EXISTS (
    SELECT
    FROM (
        SELECT target::oid AS relation
        UNION
        SELECT relid FROM pg_partition_tree(target)
      ) AS tree
      JOIN pg_class ON pg_class.oid = tree.relation
      JOIN pg_namespace ON pg_namespace.oid = relnamespace
      LEFT JOIN capture.watched_tables AS known ON known.relation = tree.relation
    WHERE
      -- A partition that was watched by its own name keeps its settings.
      NOT (tree.relation <> target AND known.relation IS NOT NULL AND known.partition_of IS NULL)
      AND (
        known.shape IS NULL
        OR known.partition_of IS DISTINCT FROM CASE WHEN tree.relation <> target THEN target END
        OR (known.ignored_columns, known.redacted_columns, known.identify_actor, known.replica_identity)
          <> (needs_watch.ignored_columns, needs_watch.redacted_columns, needs_watch.identify_actor, needs_watch.replica_identity)
        OR (known.schema_name, known.table_name) <> (nspname, relname)
        OR capture.statements_to_watch(
          tree.relation, needs_watch.identify_actor, needs_watch.replica_identity) <> '{}'
        OR known.shape <> capture.shape(
          tree.relation, needs_watch.ignored_columns, needs_watch.redacted_columns, known.original_identity_index)
      )
  );
END
$$;
COMMENT ON FUNCTION capture.needs_watch(regclass, text[], text[], boolean, text) IS
  'Whether capture.watch with these settings would change or warn of anything but losses.';

CREATE OR REPLACE FUNCTION capture.unwatch(target regclass)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  watched capture.watched_tables;
  found pg_class;
  trigger_name name;
BEGIN
  FOR watched IN
    SELECT * FROM capture.watched_tables WHERE relation = target OR partition_of = target ORDER BY relation
  LOOP
    SELECT * INTO found FROM pg_class WHERE oid = watched.relation;
    IF watched.shape IS NOT NULL THEN
      PERFORM capture.publish_shape(watched.relation, 'unwatch');
    END IF;
    -- Without a shape the table is not published, so the DDL triggers pass over what follows.
    UPDATE capture.watched_tables SET shape = NULL WHERE relation = watched.relation;
    FOR trigger_name IN
      SELECT tgname FROM pg_trigger
      WHERE tgrelid = watched.relation AND tgname IN ('capture_truncate', 'capture_actor')
    LOOP
      EXECUTE format('DROP TRIGGER %I ON %s', trigger_name, watched.relation);
    END LOOP;
    EXECUTE format('REVOKE SELECT ON %s FROM cdc_capture', watched.relation);
    -- An identity that somebody has set since stays.
    IF watched.replica_identity <> 'keep' AND found.relkind = 'r'
      AND capture.replica_identity_word(found.relreplident) = watched.replica_identity
      AND watched.original_replica_identity <> watched.replica_identity THEN
      IF capture.hindering_publication(watched.relation, watched.original_replica_identity) IS NOT NULL THEN
        RAISE WARNING '% keeps replica identity %, because publication % now restricts it', watched.relation,
          watched.replica_identity,
          capture.hindering_publication(watched.relation, watched.original_replica_identity);
      ELSIF watched.original_replica_identity <> 'index' THEN
        EXECUTE format('ALTER TABLE %s REPLICA IDENTITY %s',
          watched.relation, upper(watched.original_replica_identity));
      ELSIF EXISTS (SELECT FROM pg_class WHERE oid = watched.original_identity_index) THEN
        EXECUTE format('ALTER TABLE %s REPLICA IDENTITY USING INDEX %I', watched.relation,
          (SELECT relname FROM pg_class WHERE oid = watched.original_identity_index));
      END IF;
    END IF;
    DELETE FROM capture.watched_tables WHERE relation = watched.relation;
    IF NOT EXISTS (SELECT FROM capture.watched_tables WHERE schema_name = watched.schema_name) THEN
      EXECUTE format('REVOKE USAGE ON SCHEMA %I FROM cdc_capture', watched.schema_name);
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION capture.unwatch(regclass) IS
  'Ends the audit of a table and its partitions. It removes triggers and grants, and restores the replica identity.';
