-- The roles of the source side. No password here: the operator sets passwords as SCRAM verifiers it computes itself.
-- Roles belong to the whole server, so two databases may create them at the same moment.
DO $$
BEGIN
  IF to_regrole('cdc_capture') IS NULL THEN
    CREATE ROLE cdc_capture LOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL;
END
$$;

DO $$
BEGIN
  IF to_regrole('capture_app') IS NULL THEN
    CREATE ROLE capture_app;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL;
END
$$;

-- Reading the WAL: Aurora and RDS give it through membership in rds_replication, PostgreSQL through a role attribute.
DO $$
BEGIN
  IF to_regrole('rds_replication') IS NOT NULL THEN
    IF NOT pg_has_role('cdc_capture', 'rds_replication', 'MEMBER') THEN
      GRANT rds_replication TO cdc_capture;
    END IF;
  ELSIF NOT (SELECT rolreplication FROM pg_roles WHERE rolname = 'cdc_capture') THEN
    ALTER ROLE cdc_capture REPLICATION;
  END IF;
END
$$;
