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
    RAISE EXCEPTION 'column % identifies the rows of %: a key column cannot be ignored or redacted',
      in_key, target
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
END
$$;
COMMENT ON FUNCTION capture.check_columns(regclass, text[], text[], text[]) IS
  'Raises an error when a column to ignore or redact does not exist, or belongs to the key.';

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
  'A publication because of which PostgreSQL would refuse updates and deletes of a table under a replica identity; null '
  'without one. Under full it is one with a column list. Under any other it is one with a row filter, because the key may '
  'lack columns of the filter.';

CREATE OR REPLACE FUNCTION capture.check_replica_identity(target regclass, replica_identity text)
RETURNS void
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found pg_class;
  hindering name;
BEGIN
  SELECT * INTO found FROM pg_class WHERE oid = target;
  IF replica_identity = 'default' AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = target AND indisprimary) THEN
    RAISE EXCEPTION '% has no primary key: with replica identity default its updates and deletes would fail', target
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Use replica identity full.';
  END IF;
  IF replica_identity = 'default' AND NOT EXISTS (
    SELECT FROM pg_index WHERE indrelid = target AND indisprimary AND indisvalid AND indimmediate
  ) THEN
    RAISE EXCEPTION 'the primary key of % is deferrable: with replica identity default its updates and deletes would not '
      'say of which row they are', target
      USING ERRCODE = 'invalid_parameter_value',
        HINT = format('Use replica identity full. Or make a plain unique index over NOT NULL columns, run '
          'ALTER TABLE %s REPLICA IDENTITY USING INDEX with it, and use replica identity keep.', target);
  END IF;
  IF found.relkind <> 'r' OR replica_identity IN ('keep', capture.replica_identity_word(found.relreplident)) THEN
    RETURN;
  END IF;
  hindering := capture.hindering_publication(target, replica_identity);
  IF hindering IS NOT NULL THEN
    RAISE EXCEPTION 'publication % restricts %: with replica identity % PostgreSQL would refuse its updates and deletes',
      quote_ident(hindering), target, replica_identity
      USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = format('Take the table''s %s out of the publication, or use replica identity keep.',
          CASE WHEN replica_identity = 'full' THEN 'column list' ELSE 'row filter' END);
  END IF;
END
$$;
COMMENT ON FUNCTION capture.check_replica_identity(regclass, text) IS
  'Raises an error when updates and deletes of a table would fail under a replica identity: full, default or keep.';

CREATE OR REPLACE FUNCTION capture.check_shape_fits(target regclass, shape jsonb)
RETURNS void
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF length(capture.fitting_body(capture.shape_signal_body('watch', NULL, shape))::text) > capture.signal_limit() THEN
    RAISE EXCEPTION 'the shape of % does not fit a signal: its % columns are % characters as JSON, at most % fit',
      target, jsonb_array_length(shape -> 'columns'), length(shape::text), capture.signal_limit()
      USING ERRCODE = 'program_limit_exceeded', HINT = 'Split the table, or shorten its column names.';
  END IF;
END
$$;
COMMENT ON FUNCTION capture.check_shape_fits(regclass, jsonb) IS
  'Raises an error when the shape of a table is too long for a signal.';

CREATE OR REPLACE FUNCTION capture.row_security_hides(target regclass)
RETURNS boolean
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (
    SELECT relrowsecurity
      AND NOT reader.rolsuper AND NOT reader.rolbypassrls
      AND (relforcerowsecurity OR NOT pg_has_role(reader.oid, relowner, 'USAGE'))
      -- A permissive policy lets the role see all, and no restrictive one takes any away.
      AND NOT coalesce((
        SELECT bool_or(polpermissive AND pg_get_expr(polqual, polrelid) = 'true') AND bool_and(polpermissive)
        FROM pg_policy
        WHERE polrelid = target AND polcmd IN ('r', '*') AND EXISTS (
          SELECT FROM unnest(polroles) AS role WHERE CASE role WHEN 0 THEN true ELSE pg_has_role(reader.oid, role, 'USAGE') END)
      ), false)
    FROM pg_class, pg_roles AS reader
    WHERE pg_class.oid = target AND reader.rolname = 'cdc_capture'
  );
END
$$;
COMMENT ON FUNCTION capture.row_security_hides(regclass) IS
  'Whether row security may hide rows of a table from cdc_capture, so that a full load lacks them.';

CREATE OR REPLACE FUNCTION capture.key_losses(
  target regclass, fallback_index regclass DEFAULT NULL, ignored_columns text[] DEFAULT '{}',
  redacted_columns text[] DEFAULT '{}'
)
RETURNS TABLE (problem text, fix text)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
    WITH facts AS (
      SELECT relreplident, relkind,
        EXISTS (SELECT FROM pg_index WHERE indrelid = target AND indisprimary) AS has_primary_key,
        EXISTS (SELECT FROM pg_index WHERE indrelid = target AND indisunique AND indisvalid) AS has_unique_index,
        key,
        CASE WHEN ignored_columns || redacted_columns = '{}' THEN key
          ELSE capture.key_columns(target, fallback_index, ignored_columns || redacted_columns) END AS usable_key
      FROM pg_class, capture.key_columns(target, fallback_index) AS key WHERE oid = target
    ), large AS (
      SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS names
      FROM pg_attribute
        JOIN pg_type AS own_type ON own_type.oid = atttypid
        JOIN pg_type ON pg_type.oid = CASE own_type.typtype WHEN 'd' THEN capture.base_type(atttypid) ELSE atttypid END
      WHERE attrelid = target AND attnum > 0 AND NOT attisdropped
        AND (pg_type.typcategory = 'A' OR pg_type.typtype = 'c'
          OR pg_type.typname IN ('text', 'json', 'jsonb', 'bytea', 'xml', 'tsvector', 'citext', 'hstore'))
    )
    SELECT
      CASE
        WHEN relreplident = 'i' THEN 'has lost the index of its replica identity'
        WHEN relreplident = 'd' AND has_primary_key
          THEN 'has a deferrable primary key, which identifies no row under replica identity default'
        ELSE 'has a replica identity that identifies no row'
      END || ': its updates and deletes cannot be captured',
      format('SELECT capture.watch(%L, replica_identity => ''full'')', target)
    FROM facts WHERE relkind = 'r' AND capture.effective_identity(target) = 'nothing'
    UNION ALL
    SELECT
      CASE WHEN has_unique_index
        THEN 'has no primary key and no plain unique index over NOT NULL columns: its records can''t be found by key'
        ELSE 'has no primary key and no unique index: its records can''t be found by key'
          || coalesce(', and DMS leaves out its columns ' || names, '')
      END,
      coalesce(
        (
          SELECT format('ALTER TABLE %s %s', target, string_agg(
            format('ALTER COLUMN %I SET NOT NULL', attname), ', ' ORDER BY place))
          FROM (
            SELECT indexrelid FROM pg_index
            WHERE indrelid = target AND indisunique AND indisvalid AND indimmediate AND indpred IS NULL AND indexprs IS NULL
            ORDER BY indnkeyatts, indexrelid
            LIMIT 1
          ) AS nullable
            JOIN pg_index USING (indexrelid)
            CROSS JOIN LATERAL unnest(indkey::int2[]) WITH ORDINALITY AS part (number, place)
            JOIN pg_attribute ON attrelid = target AND attnum = number
          WHERE place <= indnkeyatts AND NOT attnotnull
          HAVING count(*) > 0
        ),
        format('ALTER TABLE %s ADD COLUMN record_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY '
          '/* or a primary key of the columns that identify a row, if there are any */', target))
    FROM facts CROSS JOIN large WHERE relkind = 'r' AND key = '{}'
    UNION ALL
    SELECT format('has %s column in its key: its audit events carry no key',
        CASE WHEN key && redacted_columns THEN 'a redacted' ELSE 'an ignored' END),
      CASE WHEN relreplident <> 'f' THEN format('SELECT capture.watch(%L, replica_identity => ''full''); ', target) ELSE '' END
        || format('ALTER TABLE %s ADD COLUMN record_id bigint GENERATED ALWAYS AS IDENTITY UNIQUE '
          '/* or a unique index over other NOT NULL columns, or do not %s this one */', target,
          CASE WHEN key && redacted_columns THEN 'redact' ELSE 'ignore' END)
    FROM facts WHERE relkind = 'r' AND key <> '{}' AND (usable_key = '{}' OR usable_key && redacted_columns);
END
$$;
COMMENT ON FUNCTION capture.key_losses(regclass, regclass, text[], text[]) IS
  'What keeps the records of a table from being told apart, in the WAL or in the log, each with what mends it.';

CREATE OR REPLACE FUNCTION capture.unbounded_columns(target regclass)
RETURNS TABLE (problem text, fix text)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  -- Without a word of the bootstrap, what DMS takes by itself. Who has set more has thought of these columns.
  taken_by_default CONSTANT integer := 8000;
  taken integer := coalesce((SELECT value FROM capture.limits WHERE name = 'unbounded varchar bytes'), taken_by_default);
  -- DMS takes text for a LOB. It carries no LOB in a key, and none of a table without a key.
  keys int2[] := ARRAY(SELECT unnest(indkey::int2[]) FROM pg_index WHERE indrelid = target AND indisunique AND indisvalid);
BEGIN
  RETURN QUERY
    SELECT format('has columns of type varchar without a length: %s; DMS takes %s bytes of one, and a longer value ends the '
        'capture of every table until unboundedVarcharMaxBytes of the pipeline is raised',
        string_agg(quote_ident(attname), ', ' ORDER BY attnum), taken),
      format('ALTER TABLE %s %s', target,
        string_agg(format('ALTER COLUMN %I TYPE %s', attname,
          CASE WHEN keys = '{}' OR attnum = ANY (keys) THEN format('varchar(%s)', greatest(taken / 4, 1)) ELSE 'text' END),
          ', ' ORDER BY attnum))
    FROM pg_class
      JOIN pg_attribute ON attrelid = pg_class.oid
      JOIN pg_type ON pg_type.oid = capture.base_type(atttypid)
    WHERE pg_class.oid = target AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
      AND typname = 'varchar' AND capture.base_modifier(atttypid, atttypmod) = -1 AND taken <= taken_by_default
    HAVING count(*) > 0;
END
$$;
COMMENT ON FUNCTION capture.unbounded_columns(regclass) IS
  'The columns of a table in which a value may be longer than DMS takes, with what declares them so that it takes every '
  'value; none once the pipeline has a limit above DMS''s own.';

CREATE OR REPLACE FUNCTION capture.losses(
  target regclass, fallback_index regclass DEFAULT NULL, ignored_columns text[] DEFAULT '{}',
  redacted_columns text[] DEFAULT '{}'
)
RETURNS TABLE (problem text, fix text)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
    SELECT loss.problem, loss.fix
    FROM capture.key_losses(target, fallback_index, ignored_columns, redacted_columns) AS loss
    UNION ALL
    SELECT format('has columns that DMS shortens: %s', string_agg(
        format('%I (%s)', attname, CASE pg_type.typname WHEN 'numeric' THEN 'numeric without a precision' ELSE 'timetz' END),
        ', ' ORDER BY attnum)) || '; the log leaves them out and names them as unknown',
      format('ALTER TABLE %s %s /* rounds values that have more digits: declare a type that holds them all */', target,
        string_agg(format('ALTER COLUMN %I TYPE %s', attname,
          CASE pg_type.typname WHEN 'numeric' THEN 'numeric(38, 10)' ELSE 'time' END), ', ' ORDER BY attnum))
    FROM pg_class
      JOIN pg_attribute ON attrelid = pg_class.oid
      JOIN pg_type AS own_type ON own_type.oid = atttypid
      JOIN pg_type ON pg_type.oid = CASE own_type.typtype WHEN 'd' THEN capture.base_type(atttypid) ELSE atttypid END
    WHERE pg_class.oid = target AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
      AND (pg_type.typname = 'timetz' OR (pg_type.typname = 'numeric' AND capture.base_modifier(atttypid, atttypmod) = -1))
    HAVING count(*) > 0
    UNION ALL
    SELECT unbounded.problem, unbounded.fix FROM capture.unbounded_columns(target) AS unbounded
    UNION ALL
    SELECT 'has row security that may hide rows from cdc_capture: a full load would lack them',
      CASE WHEN to_regrole('rds_superuser') IS NULL THEN 'ALTER ROLE cdc_capture BYPASSRLS'
        ELSE format('CREATE POLICY capture_reads_all ON %s FOR SELECT TO cdc_capture USING (true)', target) END
    FROM pg_class WHERE oid = target AND relkind = 'r' AND capture.row_security_hides(target)
    UNION ALL
    SELECT format('is inherited by %s, which is not watched: changes of its rows are not captured, also those of statements '
        'that name %s', child.oid::regclass, target),
      format('SELECT capture.watch(%L)', child.oid::regclass)
    FROM capture.descendants(target) AS tree (relation) JOIN pg_class AS child ON child.oid = tree.relation
    WHERE child.relkind = 'r' AND child.relpersistence = 'p' AND NOT child.relispartition
      AND NOT EXISTS (SELECT FROM capture.watched_tables WHERE watched_tables.relation = child.oid)
      -- A bootstrap that names the child comes to it; if it did not, the checks name the child itself.
      AND capture.selection_entry(child.oid) IS NULL;
END
$$;
COMMENT ON FUNCTION capture.losses(regclass, regclass, text[], text[]) IS
  'What the log of a table lacks or will lack as long as the table is as it is, each with what mends it.';

CREATE OR REPLACE FUNCTION capture.warn_of_losses(
  target regclass, fallback_index regclass DEFAULT NULL, ignored_columns text[] DEFAULT '{}',
  redacted_columns text[] DEFAULT '{}'
)
RETURNS void
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  loss record;
BEGIN
  FOR loss IN
    SELECT problem, fix FROM capture.losses(target, fallback_index, ignored_columns, redacted_columns)
    -- publish_shape warns of it.
    WHERE problem NOT LIKE 'has a redacted column in its key%'
  LOOP
    RAISE WARNING '% %', target, loss.problem USING HINT = loss.fix;
  END LOOP;
END
$$;
COMMENT ON FUNCTION capture.warn_of_losses(regclass, regclass, text[], text[]) IS 'Warns of what capture.losses finds.';
