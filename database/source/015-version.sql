-- Raise it by one with every change of these files: an older operator then refuses to replace newer objects.
CREATE OR REPLACE FUNCTION capture.sql_version()
RETURNS integer
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT 7
$$;
COMMENT ON FUNCTION capture.sql_version() IS
  'Version of the SQL that made this schema. An operator refuses a database whose version is above its own.';
