-- The catalogs are asked by their indexes, from what the DDL touched to the tables that it reaches, so that no statement
-- costs more where many tables are watched. Dependents in whose shape a name stands are taken only if the name is not as
-- published.
CREATE OR REPLACE FUNCTION capture.tables_of_types(types oid[])
RETURNS SETOF oid
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  type oid;
  sample record;
BEGIN
  -- With arrays of the types and domains over them.
  FOR type IN
    WITH RECURSIVE closure (member) AS (
      SELECT unnest(types)
      UNION
      SELECT objid FROM closure JOIN pg_depend
        ON refclassid = 'pg_type'::regclass AND refobjid = member AND classid = 'pg_type'::regclass
    )
    SELECT member FROM closure
  LOOP
    -- One table tells whether the type is still as published.
    SELECT shape -> 'columns' AS columns, attname, atttypid INTO sample
    FROM pg_depend
      JOIN capture.watched_tables ON relation = objid
      JOIN pg_attribute ON attrelid = objid AND attnum = objsubid
    WHERE refclassid = 'pg_type'::regclass AND refobjid = type AND classid = 'pg_class'::regclass AND objsubid > 0
      AND shape IS NOT NULL
    LIMIT 1;
    IF FOUND AND NOT sample.columns @> jsonb_build_array(jsonb_build_object(
      'name', sample.attname, 'type', format_type(capture.base_type(sample.atttypid), NULL))) THEN
      RETURN QUERY
        SELECT objid FROM pg_depend
        WHERE refclassid = 'pg_type'::regclass AND refobjid = type AND classid = 'pg_class'::regclass AND objsubid > 0;
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION capture.tables_of_types(oid[]) IS
  'Tables with a column of one of the types, of an array of it or of a domain over it, if its name is not as published.';

CREATE OR REPLACE FUNCTION capture.tables_reached(touched oid[], types oid[], schemas oid[])
RETURNS SETOF oid
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  changed oid[] := touched || ARRAY(SELECT indrelid FROM pg_index WHERE indexrelid = ANY (touched) AND indisunique);
BEGIN
  IF cardinality(schemas) > 0 THEN
    changed := changed || ARRAY(
      SELECT objid
      FROM pg_depend
        JOIN capture.watched_tables ON relation = objid
        JOIN pg_namespace ON pg_namespace.oid = refobjid
      WHERE refclassid = 'pg_namespace'::regclass AND refobjid = ANY (schemas) AND classid = 'pg_class'::regclass
        AND schema_name <> nspname);
    types := types || ARRAY(
      SELECT objid FROM pg_depend
      WHERE refclassid = 'pg_namespace'::regclass AND refobjid = ANY (schemas) AND classid = 'pg_type'::regclass);
  END IF;
  IF cardinality(changed) > 0 THEN
    types := types || ARRAY(SELECT reltype FROM pg_class WHERE oid = ANY (changed) AND reltype <> 0);
    -- Partitions that have left their root.
    IF EXISTS (SELECT FROM pg_class WHERE oid = ANY (changed) AND relkind = 'p') THEN
      RETURN QUERY
        SELECT relation::oid
        FROM capture.watched_tables JOIN pg_class ON pg_class.oid = relation
        WHERE NOT relispartition AND shape ? 'root';
    END IF;
    IF EXISTS (SELECT FROM pg_inherits WHERE inhparent = ANY (changed)) THEN
      changed := changed || ARRAY(SELECT capture.descendants(ancestor) FROM unnest(changed) AS ancestor);
    END IF;
    RETURN QUERY SELECT unnest(changed);
    -- Those whose foreign keys name a table or column that has another name now.
    RETURN QUERY
      SELECT relation::oid
      FROM pg_depend
        JOIN pg_constraint ON pg_constraint.oid = objid AND contype = 'f' AND confrelid = refobjid
        JOIN capture.watched_tables ON relation = conrelid
      WHERE refclassid = 'pg_class'::regclass AND refobjid = ANY (changed) AND classid = 'pg_constraint'::regclass
        AND NOT coalesce(shape -> 'foreign_keys', '[]') @> jsonb_build_array(capture.foreign_key(pg_constraint.oid));
  END IF;
  IF cardinality(types) > 0 THEN
    RETURN QUERY SELECT capture.tables_of_types(types);
  END IF;
END
$$;
COMMENT ON FUNCTION capture.tables_reached(oid[], oid[], oid[]) IS
  'The tables whose shape DDL of some tables or indexes, types and schemas may have changed.';

CREATE OR REPLACE FUNCTION capture.publish_changed_shapes(relations oid[], command text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  candidate regclass;
BEGIN
  IF coalesce(cardinality(relations), 0) = 0 THEN
    RETURN;
  END IF;
  FOR candidate IN
    SELECT watched.relation
    FROM capture.watched_tables AS watched JOIN pg_class ON pg_class.oid = watched.relation
    WHERE watched.relation = ANY (relations)
    ORDER BY watched.relation
  LOOP
    PERFORM capture.publish_shape(candidate, 'ddl', command);
  END LOOP;
END
$$;
COMMENT ON FUNCTION capture.publish_changed_shapes(oid[], text) IS
  'Publishes the shape of those of the tables that are watched and that DDL has changed.';

CREATE OR REPLACE FUNCTION capture.repair_triggers(touched oid[])
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  candidate regclass;
BEGIN
  -- A table without a shape is being watched or let go. One whose trigger is off was left so on purpose, for now.
  FOR candidate IN
    SELECT relation
    FROM capture.watched_tables JOIN pg_trigger ON tgrelid = relation
    WHERE relation = ANY (touched) AND shape IS NOT NULL AND tgname = 'capture_truncate' AND tgenabled = 'O'
  LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER capture_truncate', candidate);
  END LOOP;
END
$$;
COMMENT ON FUNCTION capture.repair_triggers(oid[]) IS
  'Makes truncate triggers fire in every session again, after ALTER TABLE … ENABLE TRIGGER USER or ALL.';

CREATE OR REPLACE FUNCTION capture.keep_readable(touched oid[])
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  candidate record;
BEGIN
  FOR candidate IN
    SELECT relation, relnamespace::regnamespace AS entered
    FROM capture.watched_tables JOIN pg_class ON pg_class.oid = relation
    WHERE relation = ANY (touched) AND relkind = 'r'
      AND NOT has_schema_privilege('cdc_capture', relnamespace, 'USAGE')
  LOOP
    BEGIN
      EXECUTE format('GRANT USAGE ON SCHEMA %s TO cdc_capture', candidate.entered);
    EXCEPTION WHEN OTHERS THEN
      RAISE WARNING 'a full load can''t read %, since cdc_capture may not use the schema %: %',
        candidate.relation, candidate.entered, SQLERRM;
    END;
  END LOOP;
END
$$;
COMMENT ON FUNCTION capture.keep_readable(oid[]) IS
  'Lets cdc_capture use the schemas that watched tables have moved to, for later full loads.';

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

-- The three functions below run after the DDL of every user, so they must not fail it, even when the capture is broken.
-- An exception block turns all errors into warnings, and no variable has a type that the schema capture defines.
CREATE OR REPLACE FUNCTION capture.on_ddl()
RETURNS event_trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '5s'
-- Planning these functions' queries for each call takes longer than running them.
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  touched oid[];
  types oid[];
  schemas oid[];
BEGIN
  -- A table that is listed without a shape is being watched or unwatched right now, by our own statements.
  SELECT
    array_agg(DISTINCT objid) FILTER (WHERE classid = 'pg_class'::regclass AND NOT EXISTS (
      SELECT FROM capture.watched_tables JOIN pg_class ON pg_class.oid = relation
      WHERE relation = objid AND shape IS NULL AND relkind = 'r'
    )),
    array_agg(DISTINCT objid) FILTER (WHERE classid = 'pg_type'::regclass AND command_tag LIKE 'ALTER %'),
    array_agg(DISTINCT objid) FILTER (WHERE classid = 'pg_namespace'::regclass AND command_tag LIKE 'ALTER %')
  INTO touched, types, schemas
  FROM pg_event_trigger_ddl_commands();
  touched := coalesce(touched, '{}');
  PERFORM capture.publish_changed_shapes(
    ARRAY(SELECT capture.tables_reached(touched, coalesce(types, '{}'), coalesce(schemas, '{}'))), TG_TAG);
  IF cardinality(touched) > 0 AND TG_TAG <> 'CREATE INDEX' THEN
    IF EXISTS (SELECT FROM pg_inherits WHERE inhrelid = ANY (touched) OR inhparent = ANY (touched)) THEN
      PERFORM capture.watch_new_partitions(touched);
    END IF;
    PERFORM capture.watch_selected(touched), capture.repair_triggers(touched), capture.keep_readable(touched);
  END IF;
  PERFORM set_config('capture.rewritten', '', true);
EXCEPTION WHEN OTHERS THEN
  PERFORM set_config('capture.rewritten', '', true);
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
-- Planning these functions' queries for each call takes longer than running them.
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  dropped oid[];
  index_dropped boolean;
  touched oid[];
BEGIN
  -- ALTER TABLE reports its table at the end of the command. A dropped index, or a cascade to columns and to foreign keys
  -- of other tables, never does.
  SELECT
    array_agg(objid) FILTER (WHERE classid = 'pg_class'::regclass AND objsubid = 0),
    coalesce(bool_or(object_type = 'index' AND original AND TG_TAG <> 'ALTER TABLE'), false),
    array_agg(DISTINCT CASE object_type
      WHEN 'table column' THEN objid
      ELSE to_regclass(format('%I.%I', address_names[1], address_names[2]))
    END) FILTER (WHERE object_type = 'table constraint' OR (object_type = 'table column' AND TG_TAG <> 'ALTER TABLE'))
  INTO dropped, index_dropped, touched
  FROM pg_event_trigger_dropped_objects()
  WHERE NOT is_temporary;
  IF EXISTS (SELECT FROM capture.watched_tables WHERE relation = ANY (dropped)) THEN
    PERFORM capture.forget_dropped(dropped, TG_TAG);
  END IF;
  IF index_dropped THEN
    touched := touched || ARRAY(
      SELECT relation::oid FROM capture.watched_tables
      WHERE key_index IS NOT NULL AND NOT EXISTS (SELECT FROM pg_class WHERE oid = key_index));
  END IF;
  PERFORM capture.publish_changed_shapes(touched, TG_TAG);
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'the audit pipeline was not told of this %: %', TG_TAG, SQLERRM
    USING HINT = 'Run SELECT capture.republish_shapes() as the owner of the schema capture.';
END
$$;
COMMENT ON FUNCTION capture.on_drop() IS
  'Signals that a watched table was dropped, or that the drop of another object took a column or its identity. It never '
  'fails the drop.';

CREATE OR REPLACE FUNCTION capture.on_rewrite()
RETURNS event_trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  rewritten oid := pg_event_trigger_table_rewrite_oid();
BEGIN
  -- A rewrite for another persistence or access method (1 and 8) keeps the values.
  IF pg_event_trigger_table_rewrite_reason() & 6 <> 0 THEN
    PERFORM set_config('capture.rewritten', concat_ws(' ', nullif(current_setting('capture.rewritten', true), ''),
      rewritten, (SELECT string_agg(ancestor::text, ' ') FROM capture.ancestors(ARRAY[rewritten]) AS ancestor)), true);
  END IF;
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'the audit pipeline was not told of this %: %', TG_TAG, SQLERRM;
END
$$;
COMMENT ON FUNCTION capture.on_rewrite() IS
  'Notes that DDL gives rows new values, of which no change is captured, for the signal at the end of the command. It '
  'never fails the DDL.';

CREATE OR REPLACE FUNCTION capture.create_event_triggers()
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  wanted record;
BEGIN
  -- The trigger of an earlier version covers fewer commands.
  IF EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'capture_ddl' AND 'CREATE INDEX' <> ALL (evttags)) THEN
    DROP EVENT TRIGGER capture_ddl;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'capture_ddl') THEN
    CREATE EVENT TRIGGER capture_ddl ON ddl_command_end
      WHEN TAG IN (
        'ALTER TABLE', 'ALTER INDEX', 'ALTER TYPE', 'ALTER DOMAIN', 'ALTER SCHEMA', 'CREATE TABLE', 'CREATE TABLE AS',
        'SELECT INTO', 'CREATE SCHEMA', 'CREATE INDEX'
      )
      EXECUTE FUNCTION capture.on_ddl();
    COMMENT ON EVENT TRIGGER capture_ddl IS 'Publishes the shapes of tables that DDL changed.';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'capture_drop') THEN
    CREATE EVENT TRIGGER capture_drop ON sql_drop EXECUTE FUNCTION capture.on_drop();
    COMMENT ON EVENT TRIGGER capture_drop IS 'Signals dropped tables.';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'capture_rewrite') THEN
    CREATE EVENT TRIGGER capture_rewrite ON table_rewrite EXECUTE FUNCTION capture.on_rewrite();
    COMMENT ON EVENT TRIGGER capture_rewrite IS 'Notes tables whose rows DDL rewrites.';
  END IF;
  -- ALWAYS includes sessions with session_replication_role replica, which skip ordinary triggers.
  FOR wanted IN
    SELECT evtname FROM pg_event_trigger
    WHERE evtname IN ('capture_ddl', 'capture_drop', 'capture_rewrite') AND evtenabled <> 'A'
  LOOP
    EXECUTE format('ALTER EVENT TRIGGER %I ENABLE ALWAYS', wanted.evtname);
  END LOOP;
END
$$;
COMMENT ON FUNCTION capture.create_event_triggers() IS
  'Makes the event triggers of the capture, or puts right what somebody has changed about them.';
SELECT capture.create_event_triggers();
