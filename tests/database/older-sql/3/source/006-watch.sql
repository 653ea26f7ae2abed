CREATE OR REPLACE FUNCTION capture.catalog_body(reason text, command text, shape jsonb)
RETURNS jsonb
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT jsonb_build_object('reason', reason, 'command', command) || shape
$$;
COMMENT ON FUNCTION capture.catalog_body(text, text, jsonb) IS
  'The body of a catalog signal: why it is sent, the command tag of the DDL if any, and the shape.';

CREATE OR REPLACE FUNCTION capture.selected_as(target regclass)
RETURNS capture.selection
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT selection
  FROM pg_class
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    JOIN capture.selection ON schema_name = nspname AND relname LIKE table_pattern
  WHERE pg_class.oid = target
  ORDER BY strpos(table_pattern, '%') > 0, length(replace(table_pattern, '\', '')) DESC, place DESC
  LIMIT 1
$$;
COMMENT ON FUNCTION capture.selected_as(regclass) IS 'The entry of the selection that counts for a table; null without one.';

CREATE OR REPLACE FUNCTION capture.publish(
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
  added text[];
  entry capture.selection;
  new_shape jsonb;
  body jsonb;
BEGIN
  SELECT * INTO watched FROM capture.watched_tables WHERE watched_tables.relation = publish.relation;
  SELECT nspname, relname INTO new_schema_name, new_table_name
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
  WHERE pg_class.oid = publish.relation;

  -- A renamed column stays ignored or redacted under its new name.
  SELECT
    watched.ignored_columns || array_agg(new_name) FILTER (WHERE old_name = ANY (watched.ignored_columns)),
    watched.redacted_columns || array_agg(new_name) FILTER (WHERE old_name = ANY (watched.redacted_columns))
  INTO new_ignored, new_redacted
  FROM unnest(watched.column_names, new_column_names) AS pair (old_name, new_name)
  WHERE old_name <> new_name;
  -- A column that the table has only now, and its entry of the selection names.
  added := ARRAY(SELECT unnest(new_column_names) EXCEPT SELECT unnest(watched.column_names));
  entry := capture.selected_as(coalesce(watched.partition_of, watched.relation));
  new_ignored := new_ignored || ARRAY(
    SELECT name FROM unnest(added) AS name WHERE name = ANY (entry.ignored_columns) AND name <> ALL (new_ignored));
  new_redacted := new_redacted || ARRAY(
    SELECT name FROM unnest(added) AS name WHERE name = ANY (entry.redacted_columns) AND name <> ALL (new_redacted));

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
  WHERE watched_tables.relation = publish.relation
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
  body := capture.catalog_body(reason, command, new_shape);
  IF length(body::text) > 32000 THEN
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
COMMENT ON FUNCTION capture.publish(regclass, text, text, boolean) IS
  'Writes the catalog signal of a watched table and remembers what it said; true when one was written.';

CREATE OR REPLACE FUNCTION capture.publish_drop(watched capture.watched_tables, command text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- Another table may take the name at once, and DMS reads on by name: what was redacted stays so, and nothing is known
  -- of old rows.
  PERFORM capture.write_signal('catalog', watched.schema_name, watched.table_name,
    capture.catalog_body('drop', command, watched.shape || jsonb_build_object(
      'replica_identity', 'default',
      'key', jsonb_build_array(),
      'columns', coalesce((
        SELECT jsonb_agg(column_shape ORDER BY ordinality)
        FROM jsonb_array_elements(watched.shape -> 'columns') WITH ORDINALITY AS listed (column_shape, ordinality)
        WHERE column_shape ? 'redacted'), '[]')))::text);
END
$$;
COMMENT ON FUNCTION capture.publish_drop(capture.watched_tables, text) IS
  'Says that no table stands under a watched name any more; its redacted columns stay redacted.';

CREATE OR REPLACE FUNCTION capture.check_watchable(target regclass)
RETURNS void
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found pg_class;
  schema_name text;
BEGIN
  SELECT * INTO found FROM pg_class WHERE oid = target;
  SELECT nspname INTO schema_name FROM pg_namespace WHERE oid = found.relnamespace;
  IF found.relpersistence = 't' THEN
    RAISE EXCEPTION '% is a temporary table: its changes are not in the WAL', target
      USING ERRCODE = 'wrong_object_type';
  END IF;
  IF schema_name ~ '^(pg_|information_schema$)' THEN
    RAISE EXCEPTION '% belongs to the system: watch tables of your own schemas', target
      USING ERRCODE = 'wrong_object_type';
  END IF;
  IF schema_name IN ('audit', 'capture', 'capture_heartbeat') OR found.relname LIKE 'awsdms\_%' THEN
    RAISE EXCEPTION '% belongs to the audit pipeline: watching it would feed the log into itself', target
      USING ERRCODE = 'wrong_object_type';
  END IF;
  IF found.relkind NOT IN ('r', 'p') THEN
    RAISE EXCEPTION '% is not a table: watch the tables it is made of', target USING ERRCODE = 'wrong_object_type';
  END IF;
  IF found.relpersistence = 'u' THEN
    RAISE EXCEPTION '% is an unlogged table: its changes are not in the WAL', target
      USING ERRCODE = 'wrong_object_type', HINT = format('ALTER TABLE %s SET LOGGED;', target);
  END IF;
END
$$;
COMMENT ON FUNCTION capture.check_watchable(regclass) IS 'Raises an error that says why a table cannot be watched.';

CREATE OR REPLACE FUNCTION capture.check_columns(
  target regclass, ignored_columns text[], redacted_columns text[], key text[]
)
RETURNS void
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  missing text;
  present text;
  in_key text;
BEGIN
  SELECT string_agg(quote_ident(named), ', ') INTO missing
  FROM unnest(ignored_columns || redacted_columns) AS named
  WHERE named IS NULL OR named <> ALL (array_remove(capture.column_names(target), NULL));
  IF missing IS NOT NULL THEN
    SELECT string_agg(quote_ident(name), ', ') INTO present
    FROM unnest(capture.column_names(target)) AS name WHERE name IS NOT NULL;
    RAISE EXCEPTION '% has no column %; it has %', target, missing, present
      USING ERRCODE = 'undefined_column';
  END IF;
  SELECT string_agg(quote_ident(named), ', ') INTO in_key
  FROM unnest(ignored_columns || redacted_columns) AS named
  WHERE named = ANY (key);
  IF in_key IS NOT NULL THEN
    RAISE EXCEPTION 'column % identifies the rows of %: a key column can be neither ignored nor redacted',
      in_key, target
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
END
$$;
COMMENT ON FUNCTION capture.check_columns(regclass, text[], text[], text[]) IS
  'Raises an error when a column to ignore or redact does not exist or belongs to the key.';

CREATE OR REPLACE FUNCTION capture.hindering_publication(target regclass, replica_identity text)
RETURNS name
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT min(pubname)
  FROM pg_publication JOIN pg_publication_rel ON prpubid = pg_publication.oid
  WHERE (pubupdate OR pubdelete)
    AND (prrelid = target OR prrelid IN (SELECT relid FROM pg_partition_ancestors(target)))
    AND CASE WHEN replica_identity = 'full' THEN prattrs IS NOT NULL ELSE prqual IS NOT NULL END
$$;
COMMENT ON FUNCTION capture.hindering_publication(regclass, text) IS
  'A publication with which PostgreSQL would refuse updates and deletes of a table under a replica identity: a column '
  'list under full; a row filter, whose columns may not be in the key, under any other.';

CREATE OR REPLACE FUNCTION capture.warn_of_losses(target regclass)
RETURNS void
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  lost text;
BEGIN
  IF EXISTS (
    SELECT FROM pg_class WHERE oid = target AND (
      relreplident = 'n'
      OR (relreplident = 'd' AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = target AND indisprimary)))
  ) THEN
    RAISE WARNING '% has a replica identity that identifies no row: its updates and deletes cannot be captured', target
      USING HINT = 'Watch it with replica identity full.';
  END IF;
  IF EXISTS (SELECT FROM pg_index WHERE indrelid = target AND indisunique AND indisvalid) THEN
    RETURN;
  END IF;
  SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO lost
  FROM pg_attribute JOIN pg_type ON pg_type.oid = capture.base_type(atttypid)
  WHERE attrelid = target AND attnum > 0 AND NOT attisdropped
    AND (typcategory = 'A' OR typtype = 'c'
      OR typname IN ('text', 'json', 'jsonb', 'bytea', 'xml', 'tsvector', 'citext', 'hstore'));
  IF lost IS NOT NULL THEN
    RAISE WARNING '% has neither a primary key nor a unique index: DMS leaves out its columns %', target, lost
      USING HINT = 'Give the table a primary key.';
  END IF;
END
$$;
COMMENT ON FUNCTION capture.warn_of_losses(regclass) IS
  'Warns of what capture will miss: changes of rows that the WAL does not identify, and the LOB columns of a table '
  'without a key, which DMS does not migrate.';

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
  key text[];
  new_shape jsonb;
  has_actor_trigger boolean;
  hindering name;
  statements text[] := '{}';
  statement text;
BEGIN
  SELECT * INTO previous FROM capture.watched_tables WHERE relation = target;
  SELECT * INTO found FROM pg_class WHERE oid = target;
  SELECT nspname INTO schema_name FROM pg_namespace WHERE oid = found.relnamespace;
  IF previous.relation IS NULL THEN
    previous.original_replica_identity := CASE found.relreplident
      WHEN 'f' THEN 'full' WHEN 'd' THEN 'default' WHEN 'i' THEN 'index' ELSE 'nothing' END;
    SELECT indexrelid INTO previous.original_identity_index FROM pg_index WHERE indrelid = target AND indisreplident;
  END IF;

  key := capture.key_columns(target, previous.original_identity_index);
  -- Names that it has already may be those of columns that are gone.
  PERFORM capture.check_columns(
    target,
    ARRAY(SELECT unnest(ignored_columns) EXCEPT SELECT unnest(previous.ignored_columns)),
    ARRAY(SELECT unnest(redacted_columns) EXCEPT SELECT unnest(previous.redacted_columns)),
    key);
  IF replica_identity = 'default' AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = target AND indisprimary) THEN
    RAISE EXCEPTION '% has no primary key: with replica identity default its updates and deletes would fail', target
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Use replica identity full.';
  END IF;

  -- What the table lacks. Only that is done: each statement takes a lock that stops writers for a moment.
  IF found.relkind = 'r' THEN
    IF replica_identity <> 'keep' AND found.relreplident <> left(replica_identity, 1)::"char" THEN
      hindering := capture.hindering_publication(target, replica_identity);
      IF hindering IS NOT NULL THEN
        RAISE EXCEPTION 'publication % restricts %: with replica identity % PostgreSQL would refuse its updates and deletes',
          quote_ident(hindering), target, replica_identity
          USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = format('Take the table''s %s out of the publication, or use replica identity keep.',
              CASE WHEN replica_identity = 'full' THEN 'column list' ELSE 'row filter' END);
      END IF;
      statements := statements || format('ALTER TABLE %s REPLICA IDENTITY %s', target, upper(replica_identity));
    END IF;
    IF NOT EXISTS (
      SELECT FROM pg_trigger WHERE tgrelid = target AND tgname = 'capture_truncate' AND tgenabled = 'A'
    ) THEN
      statements := statements || ARRAY[
        format('CREATE OR REPLACE TRIGGER capture_truncate AFTER TRUNCATE ON %s
                FOR EACH STATEMENT EXECUTE FUNCTION capture.on_truncate()', target),
        format('ALTER TABLE %s ENABLE ALWAYS TRIGGER capture_truncate', target)];
    END IF;
    IF NOT has_table_privilege('cdc_capture', target, 'SELECT') THEN
      statements := statements || format('GRANT SELECT ON %s TO cdc_capture', target);
    END IF;
    IF NOT has_schema_privilege('cdc_capture', found.relnamespace, 'USAGE') THEN
      statements := statements || format('GRANT USAGE ON SCHEMA %I TO cdc_capture', schema_name);
    END IF;
  END IF;
  -- One with a condition is of an earlier version: the function asks by itself, which costs less.
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
    statements := statements || format('ALTER TABLE %s ENABLE TRIGGER capture_actor', target);
  END IF;

  -- Without a shape the table is listed but not published, so the DDL triggers stay quiet about our own statements.
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
  IF found.relkind <> 'r' THEN
    RETURN;
  END IF;

  PERFORM capture.warn_of_losses(target);
  new_shape := capture.shape(target, ignored_columns, redacted_columns, previous.original_identity_index);
  IF length(capture.catalog_body('watch', NULL, new_shape)::text) > 32000 THEN
    RAISE EXCEPTION 'the shape of % does not fit a signal: its % columns are % characters as JSON, at most 32000 fit',
      target, jsonb_array_length(new_shape -> 'columns'), length(new_shape::text)
      USING ERRCODE = 'program_limit_exceeded', HINT = 'Split the table, or shorten its column names.';
  END IF;
  UPDATE capture.watched_tables SET shape = new_shape WHERE relation = target;
  IF (schema_name, found.relname) <> (previous.schema_name, previous.table_name) THEN
    PERFORM capture.publish_drop(previous, NULL);
  END IF;
  IF new_shape IS DISTINCT FROM previous.shape
    OR (schema_name, found.relname) IS DISTINCT FROM (previous.schema_name, previous.table_name) THEN
    PERFORM capture.publish(target, 'watch');
  END IF;
END
$$;
COMMENT ON FUNCTION capture.watch_relation(regclass, regclass, text[], text[], boolean, text) IS
  'Watches one table or partition. Does only what is missing, and signals only a change.';

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
    entry := capture.selected_as(target);
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
    -- A partition that was named itself keeps its own settings.
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
  'Puts a table under audit, for a partitioned table every partition now and later, but for those that are watched by '
  'themselves. Ignored columns write no event when they alone change; redacted columns never show a value; '
  'identify_actor writes a context from the session for transactions without one; replica_identity full (old values '
  'are known), default (only keys) or keep. May be called again with other settings. What is not given stays as it is; of a '
  'new table it is what the selection says, else no columns, no actor, and full. Needs ownership of the table; each new table '
  'is locked against writers for a moment.';

CREATE OR REPLACE FUNCTION capture.descendants(ancestor oid)
RETURNS SETOF oid
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH RECURSIVE tree (relation) AS (
    SELECT inhrelid FROM pg_inherits WHERE inhparent = ancestor
    UNION
    SELECT inhrelid FROM tree JOIN pg_inherits ON inhparent = tree.relation
  )
  SELECT relation FROM tree
$$;
COMMENT ON FUNCTION capture.descendants(oid) IS
  'Every table under a table. Unlike pg_partition_tree it locks none of them until the transaction ends, so that DDL of one '
  'table never waits for whoever uses another.';

CREATE OR REPLACE FUNCTION capture.watch_new_partitions()
RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  parent capture.watched_tables;
  member regclass;
  added integer := 0;
BEGIN
  -- A partition that cannot be watched keeps neither the others nor the DDL from their turn.
  FOR parent IN
    SELECT watched_tables.*
    FROM capture.watched_tables JOIN pg_class ON pg_class.oid = relation
    WHERE relkind = 'p' AND partition_of IS NULL
    ORDER BY relation
  LOOP
    FOR member IN
      SELECT tree.relation
      FROM capture.descendants(parent.relation) AS tree (relation) JOIN pg_class ON pg_class.oid = tree.relation
      WHERE relkind IN ('r', 'p') AND relpersistence = 'p'
        AND NOT EXISTS (SELECT FROM capture.watched_tables AS watched WHERE watched.relation = tree.relation)
      ORDER BY tree.relation
    LOOP
      BEGIN
        PERFORM capture.watch_relation(
          member, parent.relation, parent.ignored_columns, parent.redacted_columns, parent.identify_actor,
          parent.replica_identity);
        added := added + 1;
      EXCEPTION WHEN OTHERS THEN
        RAISE WARNING '% is not under audit, though its parent % is: %', member, parent.relation, SQLERRM;
      END;
    END LOOP;
  END LOOP;
  RETURN added;
END
$$;
COMMENT ON FUNCTION capture.watch_new_partitions() IS
  'Watches the partitions that watched partitioned tables have gained; returns how many.';

CREATE OR REPLACE FUNCTION capture.watch_selected(candidates oid[])
RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  candidate regclass;
  added integer := 0;
BEGIN
  FOR candidate IN
    SELECT pg_class.oid
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE pg_class.oid = ANY (candidates)
      AND relkind IN ('r', 'p') AND NOT relispartition AND relpersistence = 'p' AND relname NOT LIKE 'awsdms\_%'
      AND EXISTS (SELECT FROM capture.selection WHERE schema_name = nspname AND relname LIKE table_pattern)
      AND NOT EXISTS (SELECT FROM capture.watched_tables WHERE relation = pg_class.oid)
    ORDER BY pg_class.oid
  LOOP
    BEGIN
      PERFORM capture.watch(candidate);
      added := added + 1;
    EXCEPTION WHEN OTHERS THEN
      RAISE WARNING '% is not under audit, though DMS reads it: %', candidate, SQLERRM;
    END;
  END LOOP;
  RETURN added;
END
$$;
COMMENT ON FUNCTION capture.watch_selected(oid[]) IS
  'Watches those of some tables that the selection names and nobody watches yet, as it says; returns how many.';

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
      PERFORM capture.publish(watched.relation, 'unwatch');
    END IF;
    -- Not published any more: the DDL triggers stay quiet about what follows.
    UPDATE capture.watched_tables SET shape = NULL WHERE relation = watched.relation;
    FOR trigger_name IN
      SELECT tgname FROM pg_trigger
      WHERE tgrelid = watched.relation AND tgname IN ('capture_truncate', 'capture_actor')
    LOOP
      EXECUTE format('DROP TRIGGER %I ON %s', trigger_name, watched.relation);
    END LOOP;
    EXECUTE format('REVOKE SELECT ON %s FROM cdc_capture', watched.relation);
    -- An identity that somebody has changed since is theirs.
    IF watched.replica_identity <> 'keep' AND found.relkind = 'r'
      AND found.relreplident = left(watched.replica_identity, 1)::"char"
      AND watched.original_replica_identity <> watched.replica_identity THEN
      IF capture.hindering_publication(watched.relation, watched.original_replica_identity) IS NOT NULL THEN
        RAISE WARNING '% keeps replica identity %, for publication % restricts it by now', watched.relation,
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
  'Ends the audit of a table and its partitions: triggers and grants go, the replica identity becomes what it was.';

CREATE OR REPLACE FUNCTION capture.republish_catalog()
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
    -- DDL that has not been committed signals a newer shape itself.
    FOR UPDATE OF watched_tables SKIP LOCKED
  LOOP
    PERFORM capture.publish(watched, 'republish');
    published := published + 1;
  END LOOP;
  RETURN published;
END
$$;
COMMENT ON FUNCTION capture.republish_catalog() IS
  'Signals the shape of every watched table again: once the replication slot exists, and after maintenance. Also '
  'watches partitions that were missed. Returns how many shapes were signalled.';
