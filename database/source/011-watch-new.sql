CREATE OR REPLACE FUNCTION capture.is_selected(schema_name text, table_name text)
RETURNS boolean
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- Without an entry nothing is selected.
  RETURN coalesce((
    SELECT NOT bool_or(entry.exclude)
    FROM capture.selection AS entry
    WHERE entry.schema_name = is_selected.schema_name AND is_selected.table_name LIKE entry.table_pattern
  ), false);
END
$$;
COMMENT ON FUNCTION capture.is_selected(text, text) IS
  'Whether DMS reads a table of this name: an entry of the selection names it, and none excludes it.';

CREATE OR REPLACE FUNCTION capture.reason_to_leave_out(target regclass)
RETURNS text
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  extension name;
BEGIN
  SELECT extname INTO extension
  FROM pg_depend JOIN pg_extension ON pg_extension.oid = refobjid
  WHERE classid = 'pg_class'::regclass AND objid = target AND deptype = 'e';
  IF extension IS NOT NULL THEN
    RETURN format('belongs to the extension %s', extension);
  END IF;
  -- Before version 16 a role that creates roles may grant any role except a superuser.
  RETURN (
    SELECT format('belongs to role %s, which %s can''t be granted', owner.rolname, capturing.rolname)
    FROM pg_class
      JOIN pg_roles AS owner ON owner.oid = relowner
      JOIN pg_namespace ON nspname = 'capture'
      JOIN pg_roles AS capturing ON capturing.oid = nspowner
    WHERE pg_class.oid = target AND NOT pg_has_role(capturing.oid, owner.oid, 'USAGE')
      AND NOT pg_has_role(capturing.oid, owner.oid, 'MEMBER WITH ADMIN OPTION')
      AND NOT (capturing.rolcreaterole AND NOT owner.rolsuper AND current_setting('server_version_num') < '16')
  );
END
$$;
COMMENT ON FUNCTION capture.reason_to_leave_out(regclass) IS
  'Why a pattern does not take a table that it matches: it belongs to an extension, or to a role that the owner of the '
  'schema capture can''t be granted; else null.';

CREATE OR REPLACE FUNCTION capture.selection_entry(target regclass)
RETURNS capture.selection
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (
    SELECT selection
    FROM pg_class
      JOIN pg_namespace ON pg_namespace.oid = relnamespace
      JOIN capture.selection ON schema_name = nspname AND relname LIKE table_pattern
    WHERE pg_class.oid = target AND capture.is_selected(nspname, relname)
    ORDER BY strpos(table_pattern, '%') > 0, length(regexp_replace(table_pattern, '\\(.)', '\1', 'g')) DESC, place DESC
    LIMIT 1
  );
END
$$;
COMMENT ON FUNCTION capture.selection_entry(regclass) IS
  'The entry of the selection for a table: an exact name wins, then the longest pattern; null without one, and for a '
  'table that is excluded.';

-- Its former form had no argument.
DROP FUNCTION IF EXISTS capture.watch_new_partitions();
CREATE OR REPLACE FUNCTION capture.watch_new_partitions(touched oid[] DEFAULT NULL)
RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  parent capture.watched_tables;
  member regclass;
  added integer := 0;
  around oid[] := touched || ARRAY(SELECT capture.ancestors(touched));
BEGIN
  IF touched IS NULL THEN
    around := ARRAY(SELECT relation FROM capture.watched_tables);
  END IF;
  -- A partition that cannot be watched is a warning: the others are watched, and the DDL goes through.
  FOR parent IN
    SELECT watched_tables.*
    FROM capture.watched_tables JOIN pg_class ON pg_class.oid = relation
    WHERE relkind = 'p' AND partition_of IS NULL
      AND relation = ANY (around)
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
COMMENT ON FUNCTION capture.watch_new_partitions(oid[]) IS
  'Watches the partitions that watched partitioned tables have gained, of all or of those around the touched tables; '
  'returns how many.';

CREATE OR REPLACE FUNCTION capture.watch_selected(candidates oid[])
RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  candidate regclass;
  reason text;
  added integer := 0;
BEGIN
  FOR candidate IN
    SELECT pg_class.oid
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE pg_class.oid = ANY (candidates)
      AND relkind IN ('r', 'p') AND NOT relispartition AND relpersistence = 'p' AND relname NOT LIKE 'awsdms\_%'
      AND NOT EXISTS (SELECT FROM capture.watched_tables WHERE relation = pg_class.oid)
      AND capture.is_selected(nspname, relname)
    ORDER BY pg_class.oid
  LOOP
    BEGIN
      reason := capture.reason_to_leave_out(candidate);
      IF reason IS NOT NULL AND strpos((capture.selection_entry(candidate)).table_pattern, '%') > 0 THEN
        RAISE WARNING '% is not under audit, though DMS reads it: it %', candidate, reason
          USING HINT = 'Exclude it from the tables of the pipeline.';
        CONTINUE;
      END IF;
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
  'Watches those of the given tables that the selection names and that are not watched yet, with its settings; returns '
  'how many.';
