-- Raised by one with every change of these files, so that an older operator refuses to replace newer objects.
CREATE OR REPLACE FUNCTION capture.sql_version()
RETURNS integer
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT 3
$$;
COMMENT ON FUNCTION capture.sql_version() IS
  'Version of the SQL that made this schema: an operator refuses to work on a database whose version is above its own.';
