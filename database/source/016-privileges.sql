REVOKE ALL ON SCHEMA capture, capture_heartbeat FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA capture FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA capture FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA capture FROM PUBLIC;

GRANT USAGE ON SCHEMA capture TO cdc_capture, capture_app;
GRANT SELECT ON capture.signal TO cdc_capture;
GRANT USAGE, CREATE ON SCHEMA capture_heartbeat TO cdc_capture;
GRANT EXECUTE ON FUNCTION capture.set_context(text, text, jsonb), capture.announce(text, text, jsonb) TO capture_app;

DO $$
BEGIN
  IF NOT has_database_privilege('cdc_capture', current_database(), 'CONNECT') THEN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO cdc_capture', current_database());
  END IF;
END
$$;
