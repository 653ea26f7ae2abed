-- The peer inside the database: a row trigger that writes old and new rows into one table, in the manner of supa_audit
-- (record identity from the table and its key, whole rows as jsonb, the same five indexes), written for this benchmark.
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE SCHEMA row_trigger;
CREATE TABLE row_trigger.versions (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  record_id uuid,
  old_record_id uuid,
  operation text NOT NULL,
  stored_at timestamptz NOT NULL DEFAULT now(),
  table_oid oid NOT NULL,
  schema_name name NOT NULL,
  table_name name NOT NULL,
  record jsonb,
  old_record jsonb
);
CREATE INDEX ON row_trigger.versions (record_id) WHERE record_id IS NOT NULL;
CREATE INDEX ON row_trigger.versions (old_record_id) WHERE old_record_id IS NOT NULL;
CREATE INDEX ON row_trigger.versions (table_oid);
CREATE INDEX ON row_trigger.versions USING brin (stored_at);

CREATE FUNCTION row_trigger.key_columns(relation oid) RETURNS text[]
LANGUAGE sql STABLE AS $$
  SELECT coalesce(array_agg(attname ORDER BY attnum), '{}')
  FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
  WHERE indrelid = relation AND indisprimary
$$;

CREATE FUNCTION row_trigger.record_identity(relation oid, key_columns text[], row_image jsonb) RETURNS uuid
LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN row_image IS NULL THEN NULL
    WHEN key_columns = '{}' THEN public.uuid_generate_v4()
    ELSE public.uuid_generate_v5(
      'fd62bc3d-8d6e-43c2-919c-802ba3762271',
      (jsonb_build_array(to_jsonb(relation)) || (SELECT jsonb_agg(row_image -> name) FROM unnest(key_columns) name))::text)
  END
$$;

CREATE FUNCTION row_trigger.remember() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
  key_columns text[] := row_trigger.key_columns(TG_RELID);
  new_row jsonb := to_jsonb(NEW);
  old_row jsonb := to_jsonb(OLD);
BEGIN
  INSERT INTO row_trigger.versions
    (record_id, old_record_id, operation, table_oid, schema_name, table_name, record, old_record)
  VALUES (
    row_trigger.record_identity(TG_RELID, key_columns, new_row),
    row_trigger.record_identity(TG_RELID, key_columns, old_row),
    TG_OP, TG_RELID, TG_TABLE_SCHEMA, TG_TABLE_NAME, new_row, old_row);
  RETURN coalesce(NEW, OLD);
END
$$;
