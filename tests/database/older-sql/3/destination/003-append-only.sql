CREATE OR REPLACE FUNCTION audit.keep_row()
RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION 'audit.events is append-only: a stored event never changes' USING ERRCODE = 'insufficient_privilege';
END
$$;
COMMENT ON FUNCTION audit.keep_row() IS 'Refuses UPDATE, whoever asks for it.';

CREATE OR REPLACE FUNCTION audit.refuse_removal()
RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION 'audit.events is append-only: % is refused', lower(TG_OP)
    USING ERRCODE = 'insufficient_privilege',
      HINT = 'Old events go by partition: SELECT * FROM audit.maintain(retention => interval ''7 years'').';
END
$$;
COMMENT ON FUNCTION audit.refuse_removal() IS 'Refuses DELETE and TRUNCATE.';

-- Made only when absent: making a trigger again would stop the sink for a moment at every deployment.
DO $$
BEGIN
  -- Row triggers reach every partition, also when one is named directly.
  IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'audit.events'::regclass AND tgname = 'keep_row') THEN
    CREATE TRIGGER keep_row BEFORE UPDATE ON audit.events FOR EACH ROW EXECUTE FUNCTION audit.keep_row();
  END IF;
  IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'audit.events'::regclass AND tgname = 'refuse_delete') THEN
    CREATE TRIGGER refuse_delete BEFORE DELETE ON audit.events FOR EACH ROW EXECUTE FUNCTION audit.refuse_removal();
  END IF;
  -- TRUNCATE has statement triggers only, which partitions do not inherit: audit.add_partition gives each its own.
  IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'audit.events'::regclass AND tgname = 'refuse_truncate') THEN
    CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON audit.events
      FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_removal();
  END IF;
END
$$;
