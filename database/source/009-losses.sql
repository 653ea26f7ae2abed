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

-- What follows looks at many tables in one query: a look at each of hundreds would take longer by itself than all together.
CREATE OR REPLACE FUNCTION capture.key_losses(relations oid[])
RETURNS TABLE (relation regclass, problem text, fix text)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
    WITH facts AS MATERIALIZED (
      SELECT watched.relation, relreplident, watched.ignored_columns, watched.redacted_columns, key,
        CASE WHEN watched.ignored_columns || watched.redacted_columns = '{}' THEN key
          ELSE capture.key_columns(watched.relation, watched.original_identity_index,
            watched.ignored_columns || watched.redacted_columns) END AS usable_key
      FROM capture.watched_tables AS watched
        JOIN pg_class ON pg_class.oid = watched.relation
        CROSS JOIN LATERAL capture.key_columns(watched.relation, watched.original_identity_index) AS key
      WHERE watched.relation = ANY (relations) AND relkind = 'r'
    )
    SELECT facts.relation,
      CASE
        WHEN relreplident = 'i' THEN 'has lost the index of its replica identity'
        WHEN relreplident = 'd' AND EXISTS (SELECT FROM pg_index WHERE indrelid = facts.relation AND indisprimary)
          THEN 'has a deferrable primary key, which identifies no row under replica identity default'
        ELSE 'has a replica identity that identifies no row'
      END || ': its updates and deletes cannot be captured',
      format('SELECT capture.watch(%L, replica_identity => ''full'')', facts.relation)
    FROM facts WHERE relreplident <> 'f' AND capture.effective_identity(facts.relation) = 'nothing'
    UNION ALL
    SELECT facts.relation,
      CASE WHEN EXISTS (SELECT FROM pg_index WHERE indrelid = facts.relation AND indisunique AND indisvalid)
        THEN 'has no primary key and no plain unique index over NOT NULL columns: its records can''t be found by key'
        ELSE 'has no primary key and no unique index: its records can''t be found by key'
          || coalesce(', and DMS leaves out its columns ' || large.names, '')
      END,
      coalesce(
        (
          SELECT format('ALTER TABLE %s %s', facts.relation, string_agg(
            format('ALTER COLUMN %I SET NOT NULL', attname), ', ' ORDER BY place))
          FROM (
            SELECT indexrelid FROM pg_index
            WHERE indrelid = facts.relation AND indisunique AND indisvalid AND indimmediate AND indpred IS NULL
              AND indexprs IS NULL
            ORDER BY indnkeyatts, indexrelid
            LIMIT 1
          ) AS nullable
            JOIN pg_index USING (indexrelid)
            CROSS JOIN LATERAL unnest(indkey::int2[]) WITH ORDINALITY AS part (number, place)
            JOIN pg_attribute ON attrelid = facts.relation AND attnum = number
          WHERE place <= indnkeyatts AND NOT attnotnull
          HAVING count(*) > 0
        ),
        format('ALTER TABLE %s ADD COLUMN record_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY '
          '/* or a primary key of the columns that identify a row, if there are any */', facts.relation))
    FROM facts
      CROSS JOIN LATERAL (
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS names
        FROM pg_attribute
          JOIN pg_type AS own_type ON own_type.oid = atttypid
          JOIN pg_type ON pg_type.oid = CASE own_type.typtype WHEN 'd' THEN capture.base_type(atttypid) ELSE atttypid END
        WHERE attrelid = facts.relation AND attnum > 0 AND NOT attisdropped
          AND (pg_type.typcategory = 'A' OR pg_type.typtype = 'c'
            OR pg_type.typname IN ('text', 'json', 'jsonb', 'bytea', 'xml', 'tsvector', 'citext', 'hstore'))
      ) AS large
    WHERE key = '{}'
    UNION ALL
    SELECT facts.relation, format('has %s column in its key: its audit events carry no key',
        CASE WHEN key && redacted_columns THEN 'a redacted' ELSE 'an ignored' END),
      CASE WHEN relreplident <> 'f' THEN format('SELECT capture.watch(%L, replica_identity => ''full''); ', facts.relation)
        ELSE '' END
        || format('ALTER TABLE %s ADD COLUMN record_id bigint GENERATED ALWAYS AS IDENTITY UNIQUE '
          '/* or a unique index over other NOT NULL columns, or do not %s this one */', facts.relation,
          CASE WHEN key && redacted_columns THEN 'redact' ELSE 'ignore' END)
    FROM facts WHERE key <> '{}' AND (usable_key = '{}' OR usable_key && redacted_columns);
END
$$;
COMMENT ON FUNCTION capture.key_losses(oid[]) IS
  'What keeps the records of watched tables from being told apart, in the WAL or in the log, each with what mends it.';

CREATE OR REPLACE FUNCTION capture.column_losses(relations oid[])
RETURNS TABLE (relation regclass, problem text, fix text)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  -- Without a word of the bootstrap, what DMS takes by itself. Who has set more has thought of these columns.
  taken_by_default CONSTANT integer := 8000;
  taken integer := coalesce((SELECT value FROM capture.limits WHERE name = 'unbounded varchar bytes'), taken_by_default);
BEGIN
  RETURN QUERY
    WITH found AS MATERIALIZED (
      SELECT attrelid, attnum, attname, pg_type.typname
      FROM (
          SELECT attrelid, attnum, attname,
            CASE typtype WHEN 'd' THEN capture.base_type(atttypid) ELSE atttypid END AS base_type,
            CASE typtype WHEN 'd' THEN capture.base_modifier(atttypid, atttypmod) ELSE atttypmod END AS modifier
          FROM pg_attribute
            JOIN pg_class ON pg_class.oid = attrelid
            JOIN pg_type ON pg_type.oid = atttypid
          WHERE attrelid = ANY (relations) AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
            AND (typtype = 'd' OR pg_type.typname IN ('numeric', 'timetz', 'varchar'))
          -- Without it the functions would be called for each place that names their result.
          OFFSET 0
        ) AS typed
        JOIN pg_type ON pg_type.oid = base_type
      WHERE pg_type.typname = 'timetz' OR (pg_type.typname IN ('numeric', 'varchar') AND modifier = -1)
    )
    SELECT attrelid::regclass,
      format('has columns that DMS shortens: %s', string_agg(
        format('%I (%s)', attname, CASE typname WHEN 'numeric' THEN 'numeric without a precision' ELSE 'timetz' END),
        ', ' ORDER BY attnum)) || '; the log leaves them out and names them as unknown',
      format('ALTER TABLE %s %s /* rounds values that have more digits: declare a type that holds them all */',
        attrelid::regclass, string_agg(format('ALTER COLUMN %I TYPE %s', attname,
          CASE typname WHEN 'numeric' THEN 'numeric(38, 10)' ELSE 'time' END), ', ' ORDER BY attnum))
    FROM found WHERE typname <> 'varchar' GROUP BY attrelid
    UNION ALL
    SELECT attrelid::regclass,
      format('has columns of type varchar without a length: %s; DMS takes %s bytes of one, and a longer value ends the '
        'capture of every table until unboundedVarcharMaxBytes of the pipeline is raised',
        string_agg(quote_ident(attname), ', ' ORDER BY attnum), taken),
      format('ALTER TABLE %s %s', attrelid::regclass,
        string_agg(format('ALTER COLUMN %I TYPE %s', attname,
          -- DMS takes text for a LOB. It carries no LOB in a key, and none of a table without a key.
          CASE WHEN is_keyed AND NOT in_key THEN 'text' ELSE format('varchar(%s)', greatest(taken / 4, 1)) END),
          ', ' ORDER BY attnum))
    FROM found
      CROSS JOIN LATERAL (
        SELECT count(*) > 0 AS is_keyed, coalesce(bool_or(attnum = ANY (indkey::int2[])), false) AS in_key
        FROM pg_index WHERE indrelid = attrelid AND indisunique AND indisvalid
      ) AS keys
    WHERE typname = 'varchar' AND taken <= taken_by_default
    GROUP BY attrelid;
END
$$;
COMMENT ON FUNCTION capture.column_losses(oid[]) IS
  'The columns of watched tables that DMS shortens, and those in which a value may be longer than it takes, with what '
  'declares them so that it takes every value; of the latter none once the pipeline has a limit above DMS''s own.';

CREATE OR REPLACE FUNCTION capture.losses(relations oid[])
RETURNS TABLE (relation regclass, problem text, fix text)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
    SELECT loss.relation, loss.problem, loss.fix FROM capture.key_losses(relations) AS loss
    UNION ALL
    SELECT loss.relation, loss.problem, loss.fix FROM capture.column_losses(relations) AS loss
    UNION ALL
    SELECT oid::regclass, 'has row security that may hide rows from cdc_capture: a full load would lack them',
      CASE WHEN to_regrole('rds_superuser') IS NULL THEN 'ALTER ROLE cdc_capture BYPASSRLS'
        ELSE format('CREATE POLICY capture_reads_all ON %s FOR SELECT TO cdc_capture USING (true)', oid::regclass) END
    FROM pg_class
    WHERE oid = ANY (relations) AND relkind = 'r' AND relrowsecurity AND capture.row_security_hides(oid)
    UNION ALL
    SELECT parent.oid::regclass,
      format('is inherited by %s, which is not watched: changes of its rows are not captured, also those of statements '
        'that name %s', child.oid::regclass, parent.oid::regclass),
      format('SELECT capture.watch(%L)', child.oid::regclass)
    FROM pg_class AS parent
      CROSS JOIN LATERAL capture.descendants(parent.oid) AS tree (relation)
      JOIN pg_class AS child ON child.oid = tree.relation
    WHERE parent.oid = ANY (relations) AND parent.relhassubclass
      AND child.relkind = 'r' AND child.relpersistence = 'p' AND NOT child.relispartition
      AND NOT EXISTS (SELECT FROM capture.watched_tables WHERE watched_tables.relation = child.oid)
      -- A bootstrap that names the child comes to it; if it did not, the checks name the child itself.
      AND capture.selection_entry(child.oid) IS NULL;
END
$$;
COMMENT ON FUNCTION capture.losses(oid[]) IS
  'What the log of some of the watched tables lacks or will lack as long as they are as they are, each with what mends it.';

CREATE OR REPLACE FUNCTION capture.warn_of_losses(relations oid[])
RETURNS void
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  loss record;
BEGIN
  FOR loss IN
    SELECT relation, problem, fix FROM capture.losses(relations)
    -- The one who publishes the shape warns of it.
    WHERE problem NOT LIKE 'has a redacted column in its key%'
    ORDER BY relation::oid
  LOOP
    RAISE WARNING '% %', loss.relation, loss.problem USING HINT = loss.fix;
  END LOOP;
END
$$;
COMMENT ON FUNCTION capture.warn_of_losses(oid[]) IS 'Warns of what capture.losses finds.';
