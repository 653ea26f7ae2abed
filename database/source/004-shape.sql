CREATE OR REPLACE FUNCTION capture.base_type(type oid)
RETURNS oid
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found pg_type;
  element oid;
BEGIN
  LOOP
    SELECT * INTO found FROM pg_type WHERE oid = type;
    EXIT WHEN found.typtype IS DISTINCT FROM 'd';
    type := found.typbasetype;
  END LOOP;
  IF found.typcategory = 'A' AND found.typelem <> 0 THEN
    element := capture.base_type(found.typelem);
    IF element <> found.typelem THEN
      -- A base type without an array type (a domain over an array) keeps the name as it is.
      RETURN coalesce((SELECT nullif(typarray, 0) FROM pg_type WHERE oid = element), type);
    END IF;
  END IF;
  RETURN type;
END
$$;
COMMENT ON FUNCTION capture.base_type(oid) IS
  'The type under a domain. For an array of a domain: the array of the type under it.';

CREATE OR REPLACE FUNCTION capture.base_modifier(type oid, modifier integer)
RETURNS integer
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found pg_type;
BEGIN
  LOOP
    SELECT * INTO found FROM pg_type WHERE oid = type;
    EXIT WHEN found.typtype IS DISTINCT FROM 'd' OR modifier <> -1;
    type := found.typbasetype;
    modifier := found.typtypmod;
  END LOOP;
  RETURN modifier;
END
$$;
COMMENT ON FUNCTION capture.base_modifier(oid, integer) IS
  'The modifier (such as the precision) of a column: its own, else that of its domain; -1 without one.';

CREATE OR REPLACE FUNCTION capture.key_index(
  relation regclass, fallback_index regclass DEFAULT NULL, hidden_columns text[] DEFAULT '{}'
)
RETURNS oid
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (
    SELECT indexrelid
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE indrelid = relation
      AND indisvalid
      AND (
        indisprimary OR indisreplident OR indexrelid = fallback_index
        OR (
          indisunique AND indimmediate AND indpred IS NULL
          -- An expression has no attribute.
          AND NOT EXISTS (
            SELECT
            FROM unnest(indkey::int2[]) WITH ORDINALITY AS part (number, place)
              LEFT JOIN pg_attribute ON attrelid = indrelid AND attnum = number
            WHERE place <= indnkeyatts
              AND (attnotnull IS NOT TRUE OR attgenerated = 'v' OR attname = ANY (hidden_columns)))
        )
      )
    ORDER BY
      -- Full old rows hold every column, so another index may stand in for one that must not show its values.
      hidden_columns <> '{}' AND EXISTS (SELECT FROM pg_class AS owner WHERE owner.oid = relation AND owner.relreplident = 'f')
        AND EXISTS (
          SELECT
          FROM unnest(indkey::int2[]) WITH ORDINALITY AS part (number, place)
            JOIN pg_attribute ON attrelid = indrelid AND attnum = number
          WHERE place <= indnkeyatts AND attname = ANY (hidden_columns)),
      indisreplident DESC, indisprimary DESC, indexrelid IS NOT DISTINCT FROM fallback_index DESC, indnkeyatts,
      indkey::int2[], relname
    LIMIT 1
  );
END
$$;
COMMENT ON FUNCTION capture.key_index(regclass, regclass, text[]) IS
  'The index whose columns identify a row: that of the replica identity (old rows hold no others), else the primary key, '
  'else the fallback (the identity index before watch set full identity), else the plain unique index over NOT NULL '
  'columns with the fewest and foremost columns, none of them hidden; null without any. Under full identity one without '
  'hidden columns goes before one with them.';

-- Two functions of one name whose arguments have defaults would make calls ambiguous.
DROP FUNCTION IF EXISTS capture.key_columns(regclass, regclass);
CREATE OR REPLACE FUNCTION capture.key_columns(
  relation regclass, fallback_index regclass DEFAULT NULL, hidden_columns text[] DEFAULT '{}'
)
RETURNS text[]
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (
    SELECT coalesce(array_agg(attname::text ORDER BY place), '{}')
    FROM pg_index
      CROSS JOIN LATERAL unnest(indkey::int2[]) WITH ORDINALITY AS part (number, place)
      JOIN pg_attribute ON attrelid = indrelid AND attnum = number
    WHERE indexrelid = capture.key_index(relation, fallback_index, hidden_columns) AND place <= indnkeyatts
  );
END
$$;
COMMENT ON FUNCTION capture.key_columns(regclass, regclass, text[]) IS
  'Columns that identify a row: those of capture.key_index, in its order; none without such an index.';

CREATE OR REPLACE FUNCTION capture.column_names(relation regclass)
RETURNS text[]
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (
    SELECT coalesce(array_agg(CASE WHEN NOT attisdropped THEN attname::text END ORDER BY attnum), '{}')
    FROM pg_attribute
    WHERE attrelid = relation AND attnum > 0
  );
END
$$;
COMMENT ON FUNCTION capture.column_names(regclass) IS 'Column names by attribute number, null where dropped.';

CREATE OR REPLACE FUNCTION capture.descendants(ancestor oid)
RETURNS SETOF oid
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
    WITH RECURSIVE tree (relation) AS (
      SELECT inhrelid FROM pg_inherits WHERE inhparent = ancestor
      UNION
      SELECT inhrelid FROM tree JOIN pg_inherits ON inhparent = tree.relation
    )
    SELECT relation FROM tree;
END
$$;
COMMENT ON FUNCTION capture.descendants(oid) IS
  'Every table under a table. Unlike pg_partition_tree it locks none of them, so that DDL of one table never waits for '
  'the users of another.';

CREATE OR REPLACE FUNCTION capture.ancestors(relations oid[])
RETURNS SETOF oid
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
    WITH RECURSIVE tree (relation) AS (
      SELECT inhparent FROM pg_inherits WHERE inhrelid = ANY (relations)
      UNION
      SELECT inhparent FROM tree JOIN pg_inherits ON inhrelid = tree.relation
    )
    SELECT relation FROM tree;
END
$$;
COMMENT ON FUNCTION capture.ancestors(oid[]) IS 'Every table above some tables. It locks none of them.';

CREATE OR REPLACE FUNCTION capture.replica_identity_word(code "char")
RETURNS text
LANGUAGE sql
IMMUTABLE
RETURN CASE code WHEN 'f' THEN 'full' WHEN 'd' THEN 'default' WHEN 'i' THEN 'index' ELSE 'nothing' END;
COMMENT ON FUNCTION capture.replica_identity_word("char") IS
  'The word for a value of pg_class.relreplident: full, default, index or nothing.';

CREATE OR REPLACE FUNCTION capture.effective_identity(relation regclass)
RETURNS text
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (
    SELECT CASE
      WHEN relreplident = 'f' OR EXISTS (
        SELECT FROM pg_index
        WHERE indrelid = relation AND indisvalid AND indimmediate
          AND CASE relreplident WHEN 'd' THEN indisprimary WHEN 'i' THEN indisreplident END
      ) THEN capture.replica_identity_word(relreplident)
      ELSE 'nothing'
    END
    FROM pg_class WHERE oid = relation
  );
END
$$;
COMMENT ON FUNCTION capture.effective_identity(regclass) IS
  'What old rows really hold: full, default, index or nothing. The catalog may promise more: a deferrable primary key '
  'identifies no row under default, and an identity index may be gone.';

CREATE OR REPLACE FUNCTION capture.foreign_key(foreign_key_constraint oid)
RETURNS jsonb
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (
    SELECT jsonb_build_object(
      'name', conname,
      'columns', (
        SELECT jsonb_agg(attname ORDER BY place)
        FROM unnest(conkey) WITH ORDINALITY AS part (number, place)
          JOIN pg_attribute ON attrelid = conrelid AND attnum = number),
      'schema', nspname,
      'table', relname,
      'referenced_columns', (
        SELECT jsonb_agg(attname ORDER BY place)
        FROM unnest(confkey) WITH ORDINALITY AS part (number, place)
          JOIN pg_attribute ON attrelid = confrelid AND attnum = number))
    FROM pg_constraint
      JOIN pg_class ON pg_class.oid = confrelid
      JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE pg_constraint.oid = foreign_key_constraint
  );
END
$$;
COMMENT ON FUNCTION capture.foreign_key(oid) IS 'A foreign key as a member of the shape''s foreign_keys.';

-- The shape includes stored generated columns: DMS reads through the plug-in test_decoding, which carries them. Of
-- virtual ones it carries nulls, whatever their value.
CREATE OR REPLACE FUNCTION capture.columns(
  relation regclass, key text[], ignored_columns text[], redacted_columns text[]
)
RETURNS jsonb
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (
    SELECT coalesce(jsonb_agg(
      jsonb_build_object('name', attname, 'type', type, 'number', attnum)
        || CASE WHEN declared <> type THEN jsonb_build_object('declared', declared) ELSE '{}' END
        || CASE attgenerated WHEN 's' THEN jsonb '{"generated": "stored"}' WHEN 'v' THEN '{"generated": "virtual"}' ELSE '{}' END
        || CASE attidentity WHEN 'a' THEN jsonb '{"identity": "always"}' WHEN 'd' THEN '{"identity": "by default"}' ELSE '{}' END
        || CASE WHEN attname = ANY (ignored_columns) AND attname <> ALL (key)
          THEN jsonb '{"ignored": true}' ELSE '{}' END
        || CASE WHEN attname = ANY (redacted_columns) THEN jsonb '{"redacted": true}' ELSE '{}' END
      ORDER BY attnum), '[]')
    FROM (
      SELECT *, format_type(base_type, NULL) AS type,
        CASE WHEN modifier <> -1 THEN format_type(base_type, modifier) END AS declared
      FROM (
        SELECT pg_attribute.*,
          CASE WHEN typtype = 'd' OR typcategory = 'A' THEN capture.base_type(atttypid) ELSE atttypid END AS base_type,
          CASE WHEN typtype = 'd' THEN capture.base_modifier(atttypid, atttypmod) ELSE atttypmod END AS modifier
        FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
        WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped
        -- Without it the functions would be called for each place that names their result.
        OFFSET 0
      ) AS typed
    ) AS described
  );
END
$$;
COMMENT ON FUNCTION capture.columns(regclass, text[], text[], text[]) IS
  'The columns of a table in their order, as the shape lists them.';

CREATE OR REPLACE FUNCTION capture.shape(
  relation regclass, ignored_columns text[], redacted_columns text[], fallback_index regclass DEFAULT NULL
)
RETURNS jsonb
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (
    SELECT jsonb_build_object(
        'relation', relation::oid::bigint,
        'replica_identity', capture.effective_identity(relation),
        'key', to_jsonb(key),
        'columns', capture.columns(relation, key, ignored_columns, redacted_columns))
      || CASE WHEN relkind = 'p' THEN jsonb '{"partitioned": true}' ELSE '{}' END
      || coalesce((
        SELECT jsonb_build_object('root', jsonb_build_object(
          'schema', nspname, 'table', root.relname, 'relation', root.oid::bigint))
        FROM pg_class AS root JOIN pg_namespace ON pg_namespace.oid = root.relnamespace
        WHERE shown.relispartition AND root.oid = pg_partition_root(relation)
      ), '{}')
      || coalesce((
        SELECT jsonb_build_object('foreign_keys', jsonb_agg(capture.foreign_key(declared.oid) ORDER BY conname))
        FROM pg_constraint AS declared
        WHERE conrelid = relation AND contype = 'f'
          -- A partition of the referenced table adds a constraint of its own under the one that was declared.
          AND NOT EXISTS (
            SELECT FROM pg_constraint AS parent WHERE parent.oid = declared.conparentid AND parent.conrelid = relation)
        HAVING count(*) > 0
      ), '{}')
    FROM (
      -- The key would reveal a redacted key column, so the shape of such a table has no key.
      SELECT relkind, relispartition, CASE WHEN key && redacted_columns THEN '{}' ELSE key END AS key
      FROM pg_class, capture.key_columns(relation, fallback_index, ignored_columns || redacted_columns) AS key
      WHERE oid = relation
    ) AS shown
  );
END
$$;
COMMENT ON FUNCTION capture.shape(regclass, text[], text[], regclass) IS
  'The shape of a table, as a catalog signal carries it: table, replica identity, key, columns with their types, the '
  'topmost partitioned table of a partition, and foreign keys.';
