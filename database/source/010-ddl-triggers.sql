CREATE OR REPLACE FUNCTION capture.publish_changed_shapes(touched oid[], command text, any_table_may_differ boolean)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  relation regclass;
  candidates regclass[];
BEGIN
  WITH reached (relation) AS (
    SELECT unnest(touched)
    UNION
    SELECT capture.descendants(ancestor) FROM unnest(touched) AS ancestor
  )
  SELECT coalesce(array_agg(watched.relation ORDER BY watched.relation), '{}') INTO candidates
  FROM capture.watched_tables AS watched JOIN pg_class ON pg_class.oid = watched.relation
  WHERE any_table_may_differ OR watched.relation IN (SELECT reached.relation FROM reached);

  FOREACH relation IN ARRAY candidates LOOP
    PERFORM capture.publish_shape(relation, 'ddl', command, only_if_changed => relation <> ALL (coalesce(touched, '{}')));
  END LOOP;
  PERFORM capture.watch_new_partitions();
END
$$;
COMMENT ON FUNCTION capture.publish_changed_shapes(oid[], text, boolean) IS
  'Publishes the shape of the watched tables that DDL touched, and of those under or beside them whose shape it changed. '
  'Watches new partitions.';

CREATE OR REPLACE FUNCTION capture.forget_dropped(dropped oid[], command text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  watched capture.watched_tables;
BEGIN
  FOR watched IN
    DELETE FROM capture.watched_tables WHERE relation = ANY (dropped) RETURNING *
  LOOP
    IF watched.shape IS NOT NULL THEN
      PERFORM capture.publish_drop(watched, command);
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION capture.forget_dropped(oid[], text) IS 'Signals that watched tables were dropped, and removes them from the list.';

-- The two functions below run after the DDL of every user, so they must not fail it, even when the capture is broken.
-- An exception block turns all errors into warnings, and no variable has a type that the schema capture defines.
CREATE OR REPLACE FUNCTION capture.on_ddl()
RETURNS event_trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '5s'
AS $$
DECLARE
  touched oid[];
  any_table_may_differ boolean;
BEGIN
  -- A table that is listed without a shape is being watched or unwatched right now, by our own statements. A type or a
  -- schema belongs to no one table: its rename may show in the shape of any.
  SELECT
    array_agg(DISTINCT objid) FILTER (WHERE classid = 'pg_class'::regclass AND NOT EXISTS (
      SELECT FROM capture.watched_tables JOIN pg_class ON pg_class.oid = relation
      WHERE relation = objid AND shape IS NULL AND relkind = 'r'
    )),
    coalesce(bool_or(command_tag LIKE 'ALTER %' AND classid IN ('pg_type'::regclass, 'pg_namespace'::regclass)), false)
  INTO touched, any_table_may_differ
  FROM pg_event_trigger_ddl_commands();
  -- Most DDL touches no watched table and pays only for these checks.
  IF any_table_may_differ
    OR EXISTS (SELECT FROM capture.watched_tables WHERE relation = ANY (touched))
    OR EXISTS (SELECT FROM pg_inherits WHERE inhrelid = ANY (touched) OR inhparent = ANY (touched)) THEN
    PERFORM capture.publish_changed_shapes(touched, TG_TAG, any_table_may_differ);
  END IF;
  PERFORM capture.watch_selected(touched);
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'the audit pipeline was not told of this %: %', TG_TAG, SQLERRM
    USING HINT = 'Run SELECT capture.republish_shapes() as the owner of the schema capture.';
END
$$;
COMMENT ON FUNCTION capture.on_ddl() IS
  'Publishes the new shape of watched tables that DDL has touched. Watches new partitions, and new tables that the '
  'selection names. It never fails the DDL: an error becomes a warning, and the next republish makes up for it.';

CREATE OR REPLACE FUNCTION capture.on_drop()
RETURNS event_trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '5s'
AS $$
DECLARE
  dropped oid[];
  any_table_may_differ boolean;
BEGIN
  -- ALTER TABLE reports its table at the end of the command. A dropped index or a cascade to columns never does.
  SELECT
    array_agg(objid) FILTER (WHERE classid = 'pg_class'::regclass AND objsubid = 0),
    coalesce(bool_or(TG_TAG <> 'ALTER TABLE'
      AND (object_type = 'table column' OR (object_type = 'index' AND original))), false)
  INTO dropped, any_table_may_differ
  FROM pg_event_trigger_dropped_objects()
  WHERE NOT is_temporary;
  IF EXISTS (SELECT FROM capture.watched_tables WHERE relation = ANY (dropped)) THEN
    PERFORM capture.forget_dropped(dropped, TG_TAG);
  END IF;
  IF any_table_may_differ THEN
    PERFORM capture.publish_changed_shapes('{}', TG_TAG, true);
  END IF;
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'the audit pipeline was not told of this %: %', TG_TAG, SQLERRM
    USING HINT = 'Run SELECT capture.republish_shapes() as the owner of the schema capture.';
END
$$;
COMMENT ON FUNCTION capture.on_drop() IS
  'Signals that a watched table was dropped, or that the drop of another object took a column or its identity. It never '
  'fails the drop.';

DO $$
BEGIN
  -- The trigger of an earlier version covers fewer commands.
  IF EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'capture_ddl' AND 'SELECT INTO' <> ALL (evttags)) THEN
    DROP EVENT TRIGGER capture_ddl;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'capture_ddl') THEN
    CREATE EVENT TRIGGER capture_ddl ON ddl_command_end
      WHEN TAG IN (
        'ALTER TABLE', 'ALTER INDEX', 'ALTER TYPE', 'ALTER DOMAIN', 'ALTER SCHEMA', 'CREATE TABLE', 'CREATE TABLE AS',
        'SELECT INTO', 'CREATE SCHEMA'
      )
      EXECUTE FUNCTION capture.on_ddl();
    COMMENT ON EVENT TRIGGER capture_ddl IS 'Publishes the shapes of tables that DDL changed.';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'capture_drop') THEN
    CREATE EVENT TRIGGER capture_drop ON sql_drop EXECUTE FUNCTION capture.on_drop();
    COMMENT ON EVENT TRIGGER capture_drop IS 'Signals dropped tables.';
  END IF;
  -- ALWAYS includes sessions with session_replication_role replica, which skip ordinary triggers.
  IF EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'capture_ddl' AND evtenabled <> 'A') THEN
    ALTER EVENT TRIGGER capture_ddl ENABLE ALWAYS;
  END IF;
  IF EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'capture_drop' AND evtenabled <> 'A') THEN
    ALTER EVENT TRIGGER capture_drop ENABLE ALWAYS;
  END IF;
END
$$;
