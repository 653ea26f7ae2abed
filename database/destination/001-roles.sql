-- The roles of the destination side, without passwords: the operator computes SCRAM verifiers and sets them.
-- Roles belong to the whole server, so two databases may create them at the same moment.
DO $$
BEGIN
  IF to_regrole('audit_writer') IS NULL THEN
    CREATE ROLE audit_writer LOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL;
END
$$;

DO $$
BEGIN
  IF to_regrole('audit_reader') IS NULL THEN
    CREATE ROLE audit_reader;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL;
END
$$;

DO $$
BEGIN
  IF to_regrole('audit_review') IS NULL THEN
    CREATE ROLE audit_review LOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL;
END
$$;
