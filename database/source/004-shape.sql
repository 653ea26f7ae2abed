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
  SELECT * INTO found FROM pg_type WHERE oid = type;
  IF found.typtype = 'd' THEN
    RETURN capture.base_type(found.typbasetype);
  END IF;
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

CREATE OR REPLACE FUNCTION capture.key_columns(relation regclass, fallback_index regclass DEFAULT NULL)
RETURNS text[]
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(
    (
      SELECT array_agg(attname::text ORDER BY ordinality)
      FROM unnest(key_index.indkey::int2[]) WITH ORDINALITY AS part (attnum, ordinality)
      JOIN pg_attribute ON attrelid = key_index.indrelid AND pg_attribute.attnum = part.attnum
      WHERE ordinality <= key_index.indnkeyatts
    ),
    '{}'
  )
  FROM (VALUES (true)) AS always
  LEFT JOIN LATERAL (
    SELECT indrelid, indkey, indnkeyatts
    FROM pg_index
    WHERE indrelid = relation
      AND indisvalid
      AND (indisprimary OR indisreplident OR indexrelid = fallback_index)
    ORDER BY indisprimary DESC, indisreplident DESC
    LIMIT 1
  ) AS key_index ON true
$$;
COMMENT ON FUNCTION capture.key_columns(regclass, regclass) IS
  'Columns that identify a row: those of the primary key, else of the replica identity index, else of the fallback '
  'index (the identity index before watch set full identity), else none.';

CREATE OR REPLACE FUNCTION capture.column_names(relation regclass)
RETURNS text[]
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(array_agg(CASE WHEN NOT attisdropped THEN attname::text END ORDER BY attnum), '{}')
  FROM pg_attribute
  WHERE attrelid = relation AND attnum > 0
$$;
COMMENT ON FUNCTION capture.column_names(regclass) IS 'Column names by attribute number, null where dropped.';

CREATE OR REPLACE FUNCTION capture.replica_identity_word(code "char")
RETURNS text
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE code WHEN 'f' THEN 'full' WHEN 'd' THEN 'default' WHEN 'i' THEN 'index' ELSE 'nothing' END
$$;
COMMENT ON FUNCTION capture.replica_identity_word("char") IS
  'The word for a value of pg_class.relreplident: full, default, index or nothing.';

-- The shape includes stored generated columns: DMS reads through the plug-in test_decoding, which carries them.
CREATE OR REPLACE FUNCTION capture.shape(
  relation regclass, ignored_columns text[], redacted_columns text[], fallback_index regclass DEFAULT NULL
)
RETURNS jsonb
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT jsonb_build_object(
    'replica_identity', (SELECT capture.replica_identity_word(relreplident) FROM pg_class WHERE oid = relation),
    'key', to_jsonb(key),
    'columns', coalesce((
      SELECT jsonb_agg(
        jsonb_build_object('name', attname, 'type', format_type(capture.base_type(atttypid), NULL))
          || CASE WHEN attname = ANY (ignored_columns) AND attname <> ALL (key)
            THEN jsonb '{"ignored": true}' ELSE '{}' END
          || CASE WHEN attname = ANY (redacted_columns) THEN jsonb '{"redacted": true}' ELSE '{}' END
        ORDER BY attnum)
      FROM pg_attribute
      WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped
    ), '[]')
  )
  FROM (
    -- The key would reveal a redacted key column, so the shape of such a table has no key.
    SELECT CASE WHEN key && redacted_columns THEN '{}' ELSE key END AS key
    FROM (SELECT capture.key_columns(relation, fallback_index) AS key) AS actual
  ) AS shown
$$;
COMMENT ON FUNCTION capture.shape(regclass, text[], text[], regclass) IS
  'The shape of a table, as a catalog signal carries it: replica identity, key and columns with their types.';
