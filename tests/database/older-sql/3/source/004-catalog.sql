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
      -- The base type may have no array type of its own (a domain over an array): then the name stays as it is.
      RETURN coalesce((SELECT nullif(typarray, 0) FROM pg_type WHERE oid = element), type);
    END IF;
  END IF;
  RETURN type;
END
$$;
COMMENT ON FUNCTION capture.base_type(oid) IS
  'The type under a domain, and for an array of a domain the array of the type under it.';

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
  'index (the identity index that watch replaced by full identity), else none.';

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

-- Stored generated columns are part of the shape: test_decoding, the plug-in that DMS reads through, carries them.
CREATE OR REPLACE FUNCTION capture.shape(
  relation regclass, ignored_columns text[], redacted_columns text[], fallback_index regclass DEFAULT NULL
)
RETURNS jsonb
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT jsonb_build_object(
    'replica_identity', (
      SELECT CASE relreplident WHEN 'f' THEN 'full' WHEN 'd' THEN 'default' WHEN 'i' THEN 'index' ELSE 'nothing' END
      FROM pg_class WHERE oid = relation
    ),
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
    -- A key column that is redacted would reveal itself in the key: such a table is published without a key.
    SELECT CASE WHEN key && redacted_columns THEN '{}' ELSE key END AS key
    FROM (SELECT capture.key_columns(relation, fallback_index) AS key) AS actual
  ) AS published
$$;
COMMENT ON FUNCTION capture.shape(regclass, text[], text[], regclass) IS
  'What a catalog signal says about a table: replica identity, key and columns with their types.';
