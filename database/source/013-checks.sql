CREATE OR REPLACE FUNCTION capture.actor_problems()
RETURNS TABLE (object text, problem text, fix text)
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT relation::text, 'lacks its actor trigger: who acts is unknown', format('SELECT capture.watch(%L, identify_actor => true)', relation)
  FROM capture.watched_tables
  WHERE identify_actor AND NOT EXISTS (
    SELECT FROM pg_trigger WHERE tgrelid = relation AND tgname = 'capture_actor' AND tgenabled IN ('O', 'A'))
  UNION ALL
  -- A statement fires the triggers of the table that it names, and of no other.
  SELECT relation::text, format('has an actor trigger, but its parent %s has none: who writes through that is unknown', parent),
    format('SELECT capture.watch(%L, identify_actor => true)', parent)
  FROM capture.watched_tables
    CROSS JOIN LATERAL (SELECT inhparent::regclass AS parent FROM pg_inherits WHERE inhrelid = relation) AS inherited
  WHERE identify_actor AND NOT EXISTS (
    SELECT FROM pg_trigger WHERE tgrelid = parent AND tgname = 'capture_actor' AND tgenabled IN ('O', 'A'))
$$;
COMMENT ON FUNCTION capture.actor_problems() IS
  'Where the triggers that say who acts are missing, each with its fix.';

CREATE OR REPLACE FUNCTION capture.selection_problems()
RETURNS TABLE (object text, problem text, fix text)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
    SELECT relation::text, 'is watched, but DMS does not read a table of this name: its changes are not captured',
      CASE WHEN EXISTS (
          SELECT FROM capture.selection AS entry
          WHERE entry.exclude AND entry.schema_name = nspname AND relname LIKE entry.table_pattern)
        THEN format('SELECT capture.unwatch(%L)', coalesce(partition_of, relation))
        ELSE format('SELECT capture.unwatch(%L) /* or add its name to the tables of the pipeline and deploy */',
          coalesce(partition_of, relation)) END
    FROM capture.watched_tables
      JOIN pg_class ON pg_class.oid = relation
      JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relkind = 'r' AND EXISTS (SELECT FROM capture.selection) AND NOT capture.is_selected(nspname, relname)
    UNION ALL
    SELECT pg_class.oid::regclass::text,
      'is read by DMS, but not watched: its shape and truncates are unknown, and no column is redacted'
        || coalesce('; a pattern does not take it, because it ' || reason, ''),
      CASE WHEN reason IS NOT NULL
        THEN format('Add %s to the tables of the pipeline and deploy.',
          json_build_object('schema', nspname, 'table', relname, 'exclude', true))
        ELSE concat_ws('; ',
          CASE WHEN NOT pg_has_role(capturing, relowner, 'USAGE')
            THEN format('GRANT %I TO %I', pg_get_userbyid(relowner), pg_get_userbyid(capturing)) END,
          format('SELECT capture.watch(%L)', pg_class.oid::regclass)) END
    FROM pg_namespace
      JOIN pg_class ON relnamespace = pg_namespace.oid
      CROSS JOIN (SELECT own.nspowner AS capturing FROM pg_namespace AS own WHERE own.nspname = 'capture') AS own
      CROSS JOIN LATERAL (SELECT capture.reason_to_leave_out(pg_class.oid) AS reason) AS leaving
    WHERE nspname IN (SELECT schema_name FROM capture.selection)
      AND relkind = 'r' AND relpersistence = 'p' AND relname NOT LIKE 'awsdms\_%'
      AND NOT EXISTS (SELECT FROM capture.watched_tables WHERE relation = pg_class.oid)
      AND capture.is_selected(nspname, relname);
END
$$;
COMMENT ON FUNCTION capture.selection_problems() IS
  'Where what DMS reads and what is watched are not the same, each with its fix.';

CREATE OR REPLACE FUNCTION capture.unnamed_writers(examined bigint DEFAULT 1000 * 1000)
RETURNS TABLE (application text, "user" text, transactions bigint)
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(body_4, ''), body_3, count(*)
  FROM (SELECT kind, body_1, body_3, body_4 FROM capture.signal LIMIT examined) AS signal
  -- The trigger names the session's user when it knows nothing better.
  WHERE kind = 'session' AND body_1 = body_3
  GROUP BY body_4, body_3
  ORDER BY count(*) DESC, 1, 2
$$;
COMMENT ON FUNCTION capture.unnamed_writers(bigint) IS
  'Which applications write without saying who acts, by application_name and user, with how many transactions since the '
  'signal table was last emptied. Of tables that have the actor trigger, and of at most so many signals: enough to know them '
  'by, however long nobody has emptied the table.';

CREATE OR REPLACE FUNCTION capture.problems()
RETURNS TABLE (object text, problem text, fix text)
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
-- Planning the queries for each table takes longer than running them.
SET plan_cache_mode = force_generic_plan
AS $$
  WITH watched AS (
    SELECT watched_tables.*, relkind, relpersistence, relreplident, relnamespace,
      format('SELECT capture.watch(%L, %L, %L, %L, %L)', relation, ignored_columns, redacted_columns,
        identify_actor, watched_tables.replica_identity) AS watch_again
    FROM capture.watched_tables JOIN pg_class ON pg_class.oid = relation
  )
  SELECT 'event trigger ' || wanted.name, 'is missing or not enabled always: changes of shape go unseen',
    'SELECT capture.create_event_triggers(), capture.republish_shapes()'
  FROM (VALUES ('capture_ddl'::name), ('capture_drop'), ('capture_rewrite')) AS wanted (name)
  WHERE NOT EXISTS (SELECT FROM pg_event_trigger WHERE evtname = wanted.name AND evtenabled = 'A')
  UNION ALL
  SELECT relation::text, 'is unlogged: its changes are not captured', format('ALTER TABLE %s SET LOGGED', relation)
  FROM watched WHERE relpersistence = 'u'
  UNION ALL
  SELECT relation::text, 'lacks its replica identity: old values are unknown', watch_again
  FROM watched
  WHERE relkind = 'r' AND replica_identity NOT IN ('keep', capture.replica_identity_word(relreplident))
  UNION ALL
  SELECT relation::text, 'lacks its truncate trigger: a TRUNCATE goes unseen', watch_again
  FROM watched
  WHERE relkind = 'r' AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = relation AND tgname = 'capture_truncate')
  UNION ALL
  SELECT relation::text,
    CASE WHEN tgenabled = 'O'
      THEN 'has a truncate trigger that is not enabled always: a TRUNCATE of a session with session_replication_role '
        'replica goes unseen'
      ELSE 'has its truncate trigger switched off: a TRUNCATE goes unseen' END,
    format('ALTER TABLE %s ENABLE ALWAYS TRIGGER capture_truncate', relation)
  FROM watched JOIN pg_trigger ON tgrelid = relation AND tgname = 'capture_truncate' AND tgenabled <> 'A'
  WHERE relkind = 'r'
  UNION ALL
  SELECT relation::text, loss.problem, loss.fix
  FROM capture.losses(ARRAY(SELECT relation::oid FROM watched)) AS loss JOIN watched USING (relation)
  -- Said above already, of an identity that somebody has changed.
  WHERE loss.problem NOT LIKE '%: its updates and deletes cannot be captured'
    OR replica_identity IN ('keep', capture.replica_identity_word(relreplident))
  UNION ALL
  SELECT 'role cdc_capture',
    format('lacks its setting %s: what the server or the database sets shapes or ends what it reads', name || ' = ' || value),
    capture.role_setting_statement(name, value)
  FROM capture.role_settings()
  WHERE NOT EXISTS (
    SELECT FROM pg_db_role_setting
    WHERE setdatabase = 0 AND setrole = to_regrole('cdc_capture') AND setconfig @> ARRAY[name || '=' || value])
  UNION ALL
  SELECT actor.object, actor.problem, actor.fix FROM capture.actor_problems() AS actor
  UNION ALL
  SELECT relation::text, 'cannot be read by cdc_capture', watch_again
  FROM watched
  WHERE relkind = 'r' AND NOT (has_table_privilege('cdc_capture', relation, 'SELECT')
    AND has_schema_privilege('cdc_capture', relnamespace, 'USAGE'))
  UNION ALL
  SELECT partition.oid::regclass::text, format('is a partition of %s but is not watched', relation),
    'SELECT capture.republish_shapes()'
  FROM watched CROSS JOIN capture.descendants(relation) AS descendant
    JOIN pg_class AS partition ON partition.oid = descendant
  WHERE watched.relkind = 'p' AND partition.relkind IN ('r', 'p') AND partition.relpersistence = 'p'
    AND NOT EXISTS (SELECT FROM capture.watched_tables WHERE watched_tables.relation = descendant)
  UNION ALL
  SELECT selected.object, selected.problem, selected.fix FROM capture.selection_problems() AS selected
  UNION ALL
  SELECT format('application %s as %s', coalesce(nullif(application, ''), '(without application_name)'), "user"),
    format('does not say who acts; transactions since the last maintenance: %s', transactions),
    E'-- docs/actors.md has the lines that its framework needs. This shows all of them:\nSELECT * FROM capture.unnamed_writers()'
  FROM capture.unnamed_writers(100 * 1000)
$$;
COMMENT ON FUNCTION capture.problems() IS
  'What the capture needs and lacks: event triggers, what a watched or selected table must have, and applications that do not '
  'say who acts. Each row has its fix; no row means that all is well.';

