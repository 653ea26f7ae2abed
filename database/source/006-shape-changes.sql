CREATE OR REPLACE FUNCTION capture.shape_changes(
  old_shape jsonb, new_shape jsonb, old_column_names text[], new_column_names text[]
)
RETURNS jsonb
LANGUAGE plpgsql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (
    WITH pair AS (
      SELECT number, old_name, new_name, old_column, new_column
      FROM unnest(old_column_names, new_column_names) WITH ORDINALITY AS names (old_name, new_name, number)
        LEFT JOIN jsonb_array_elements(old_shape -> 'columns') AS old_column ON old_column ->> 'name' = old_name
        LEFT JOIN jsonb_array_elements(new_shape -> 'columns') AS new_column ON new_column ->> 'name' = new_name
      WHERE old_name IS NOT NULL OR new_name IS NOT NULL
    ), member AS (
      -- The shapes of earlier versions know less of a column than its type.
      SELECT pair.*, name,
        CASE WHEN name = 'type' AND old_column ? 'number' THEN coalesce(old_column -> 'declared', old_column -> 'type')
          ELSE old_column -> name END AS old_value,
        CASE WHEN name = 'type' AND old_column ? 'number' THEN coalesce(new_column -> 'declared', new_column -> 'type')
          ELSE new_column -> name END AS new_value
      FROM pair CROSS JOIN unnest(ARRAY['type', 'generated', 'identity', 'ignored', 'redacted'])
        WITH ORDINALITY AS known (name, member_number)
      WHERE old_column IS NOT NULL AND new_column IS NOT NULL
        AND (name IN ('type', 'ignored', 'redacted') OR old_column ? 'number')
    ), whole (part, name, old_value, new_value) AS (
      VALUES
        (4, 'key', to_jsonb(ARRAY(
          SELECT coalesce(new_name, old_key)
          FROM jsonb_array_elements_text(old_shape -> 'key') WITH ORDINALITY AS listed (old_key, place)
            LEFT JOIN pair ON old_name = old_key
          ORDER BY place)), new_shape -> 'key'),
        (5, 'replica identity', old_shape -> 'replica_identity', new_shape -> 'replica_identity'),
        (6, 'root', old_shape -> 'root', new_shape -> 'root')
    ), found (part, number, change) AS (
      SELECT 1, number, jsonb_build_object('change', 'column dropped', 'column', old_name)
      FROM pair WHERE new_name IS NULL
      UNION ALL
      SELECT 1, number, jsonb_build_object('change', 'column renamed', 'from', old_name, 'to', new_name)
      FROM pair WHERE old_name <> new_name
      UNION ALL
      SELECT 2, number, jsonb_build_object(
        'change', 'column added', 'column', new_name, 'type', coalesce(new_column -> 'declared', new_column -> 'type'))
      FROM pair WHERE old_name IS NULL
      UNION ALL
      SELECT 3, number, jsonb_build_object('change', name, 'column', new_name, 'from', old_value, 'to', new_value)
      FROM member WHERE old_value IS DISTINCT FROM new_value
      UNION ALL
      SELECT part, 0, jsonb_build_object('change', name,
        'from', CASE name WHEN 'key' THEN old_shape -> 'key' ELSE old_value END, 'to', new_value)
      FROM whole
      WHERE old_value IS DISTINCT FROM new_value AND (name <> 'root' OR old_shape ? 'relation')
      UNION ALL
      SELECT 7, place, jsonb '{"change": "foreign key dropped"}' || old_key
      FROM jsonb_array_elements(old_shape -> 'foreign_keys') WITH ORDINALITY AS listed (old_key, place)
      WHERE NOT coalesce(new_shape -> 'foreign_keys', '[]') @> jsonb_build_array(old_key)
      UNION ALL
      SELECT 8, place, jsonb '{"change": "foreign key added"}' || new_key
      FROM jsonb_array_elements(new_shape -> 'foreign_keys') WITH ORDINALITY AS listed (new_key, place)
      WHERE old_shape ? 'relation' AND NOT coalesce(old_shape -> 'foreign_keys', '[]') @> jsonb_build_array(new_key)
    )
    SELECT coalesce(jsonb_agg(change ORDER BY part, number, change), '[]') FROM found
  );
END
$$;
COMMENT ON FUNCTION capture.shape_changes(jsonb, jsonb, text[], text[]) IS
  'What a change of the shape did, one object each, as the member changes of a catalog signal. Column names stand by '
  'attribute number, null where dropped.';

CREATE OR REPLACE FUNCTION capture.added_values(relation regclass, old_column_names text[], redacted_columns text[])
RETURNS jsonb
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
SET datestyle = 'ISO, YMD'
SET timezone = 'UTC'
SET intervalstyle = 'postgres'
SET bytea_output = 'hex'
SET extra_float_digits = 1
AS $$
BEGIN
  RETURN (
    -- A partitioned table holds no rows; its partitions got the column in the same command.
    SELECT jsonb_object_agg(added.attname, CASE
      WHEN stored.attmissingval IS NULL THEN 'null'
      WHEN added.attname = ANY (redacted_columns) THEN '"[redacted]"'
      WHEN typcategory = 'A' OR typname IN (
        'bool', 'int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'json', 'jsonb', 'timestamp'
      ) THEN to_jsonb(stored.attmissingval) -> 0
      WHEN typname = 'timestamptz' THEN
        to_jsonb(regexp_replace(to_jsonb(stored.attmissingval) ->> 0, '\+00:00$', 'Z'))
      ELSE to_jsonb((stored.attmissingval::text::text[])[1])
    END)
    FROM pg_attribute AS added
      JOIN pg_type ON pg_type.oid = capture.base_type(added.atttypid)
      CROSS JOIN LATERAL (
        SELECT coalesce(min(tree.relation) FILTER (WHERE relkind = 'r'), added.attrelid) AS storage
        FROM capture.descendants(added.attrelid) AS tree (relation) JOIN pg_class ON pg_class.oid = tree.relation
        WHERE EXISTS (SELECT FROM pg_class AS root WHERE root.oid = added.attrelid AND root.relkind = 'p')
      ) AS leaf
      JOIN pg_attribute AS stored ON stored.attrelid = leaf.storage AND stored.attname = added.attname
    WHERE added.attrelid = relation AND added.attnum > coalesce(array_length(old_column_names, 1), 0)
      AND NOT added.attisdropped AND added.attgenerated = ''
  );
END
$$;
COMMENT ON FUNCTION capture.added_values(regclass, text[], text[]) IS
  'What the rows that were there hold in the columns that a table got since, unless PostgreSQL rewrote them: the constant '
  'default, else null. As JSON in the forms of the log; a redacted value is shown as such. Null without a new column.';

CREATE OR REPLACE FUNCTION capture.ddl_facts(
  watched capture.watched_tables, new_name text[], new_shape jsonb, new_column_names text[], new_redacted text[],
  now_disabled text[], rewritten boolean
)
RETURNS jsonb
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  old_name text[] := ARRAY[watched.schema_name, watched.table_name];
  changes jsonb := capture.shape_changes(watched.shape, new_shape, watched.column_names, new_column_names);
  facts jsonb := jsonb_build_object('rewritten', rewritten);
  added jsonb;
BEGIN
  IF new_name <> old_name THEN
    facts := facts || jsonb_build_object('renamed_from', jsonb_build_object('schema', old_name[1], 'table', old_name[2]));
    changes := jsonb_build_array(jsonb_build_object('change', 'renamed',
      'from', facts -> 'renamed_from', 'to', jsonb_build_object('schema', new_name[1], 'table', new_name[2]))) || changes;
  END IF;
  changes := changes || (
    SELECT coalesce(jsonb_agg(jsonb_build_object('change', change, 'trigger', name) ORDER BY change, name), '[]')
    FROM (
      SELECT 'trigger disabled', name FROM unnest(now_disabled) AS name WHERE name <> ALL (watched.disabled_triggers)
      UNION ALL
      SELECT 'trigger enabled', name FROM unnest(watched.disabled_triggers) AS name WHERE name <> ALL (now_disabled)
    ) AS switched (change, name));
  IF NOT rewritten THEN
    added := capture.added_values(watched.relation, watched.column_names, new_redacted);
  END IF;
  RETURN facts || jsonb_build_object('changes', changes)
    || CASE WHEN added IS NULL THEN '{}' ELSE jsonb_build_object('added', added) END;
END
$$;
COMMENT ON FUNCTION capture.ddl_facts(capture.watched_tables, text[], jsonb, text[], text[], text[], boolean) IS
  'What the catalog signal of DDL says beside the shape: rewritten, changes, and if there are any renamed_from and added.';
