CREATE OR REPLACE FUNCTION audit.partitions()
RETURNS TABLE (partition regclass, lower_bound timestamptz, upper_bound timestamptz)
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
-- Bounds are read from text, in which the abbreviation of a time zone may be that of another.
SET timezone = 'UTC'
SET datestyle = 'ISO'
AS $$
  SELECT
    pg_class.oid::regclass,
    (regexp_match(pg_get_expr(relpartbound, pg_class.oid), $re$FROM \('([^']+)'\)$re$))[1]::timestamptz,
    (regexp_match(pg_get_expr(relpartbound, pg_class.oid), $re$TO \('([^']+)'\)$re$))[1]::timestamptz
  FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
  WHERE inhparent = 'audit.events'::regclass
  ORDER BY 2
$$;
COMMENT ON FUNCTION audit.partitions() IS
  'The partitions of audit.events and the times that they hold. The lower bound is included, the upper is not. The '
  'default partition has no bounds.';

CREATE OR REPLACE FUNCTION audit.period_start(at timestamptz, period text)
RETURNS timestamptz
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT date_trunc(period, at, 'UTC')
$$;
COMMENT ON FUNCTION audit.period_start(timestamptz, text) IS 'Start of the UTC month or day that holds a time.';

CREATE OR REPLACE FUNCTION audit.period_end(at timestamptz, period text)
RETURNS timestamptz
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT (date_trunc(period, at AT TIME ZONE 'UTC') + ('1 ' || period)::interval) AT TIME ZONE 'UTC'
$$;
COMMENT ON FUNCTION audit.period_end(timestamptz, text) IS 'End of the UTC month or day that holds a time.';

-- Creates a table and attaches it, which does not block the sink. CREATE TABLE ... PARTITION OF would.
CREATE OR REPLACE FUNCTION audit.add_partition(lower_bound timestamptz, upper_bound timestamptz)
RETURNS regclass
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
  name text := 'events_' || CASE
    WHEN lower_bound IS NULL THEN 'default'
    WHEN upper_bound = audit.period_end(lower_bound, 'day') THEN to_char(lower_bound, 'YYYY_MM_DD')
    WHEN lower_bound = audit.period_start(lower_bound, 'month') AND upper_bound = audit.period_end(lower_bound, 'month')
      THEN to_char(lower_bound, 'YYYY_MM')
    ELSE to_char(lower_bound, 'YYYY_MM_DD') || '_to_' || to_char(upper_bound, 'YYYY_MM_DD')
  END;
BEGIN
  EXECUTE format(
    'CREATE TABLE audit.%I (LIKE audit.events INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMPRESSION)', name);
  EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON audit.%I
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_removal()', name);
  IF lower_bound IS NULL THEN
    EXECUTE format('ALTER TABLE audit.events ATTACH PARTITION audit.%I DEFAULT', name);
    EXECUTE format('COMMENT ON TABLE audit.%I IS %L', name,
      'Catches events whose time has no partition; audit.maintain moves them to one.');
  ELSE
    EXECUTE format('ALTER TABLE audit.events ATTACH PARTITION audit.%I FOR VALUES FROM (%L) TO (%L)',
      name, lower_bound, upper_bound);
    EXECUTE format('COMMENT ON TABLE audit.%I IS %L', name,
      format('Events committed from %s up to %s, UTC.',
        to_char(lower_bound, 'YYYY-MM-DD'), to_char(upper_bound, 'YYYY-MM-DD')));
  END IF;
  RETURN format('audit.%I', name)::regclass;
END
$$;
COMMENT ON FUNCTION audit.add_partition(timestamptz, timestamptz) IS
  'Adds the partition for a span of time, or the default partition for nulls.';

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM audit.partitions() WHERE lower_bound IS NULL) THEN
    PERFORM audit.add_partition(NULL, NULL);
  END IF;
END
$$;

CREATE OR REPLACE FUNCTION audit.add_partitions(from_time timestamptz, to_time timestamptz, period text)
RETURNS SETOF regclass
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  at timestamptz := audit.period_start(from_time, period);
  covered_until timestamptz;
  next_lower_bound timestamptz;
BEGIN
  -- The loop skips spans that a partition covers, so months and days can exist side by side.
  WHILE at < to_time LOOP
    SELECT upper_bound INTO covered_until FROM audit.partitions() WHERE lower_bound <= at AND at < upper_bound;
    IF FOUND THEN
      at := covered_until;
    ELSE
      SELECT min(lower_bound) INTO next_lower_bound FROM audit.partitions() WHERE lower_bound > at;
      RETURN NEXT audit.add_partition(at, least(audit.period_end(at, period), next_lower_bound));
      at := least(audit.period_end(at, period), next_lower_bound);
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION audit.add_partitions(timestamptz, timestamptz, text) IS
  'Adds the partitions that a span of time lacks; returns them.';

-- audit.maintain calls it and sets its lock timeout, time zone and styles.
CREATE OR REPLACE FUNCTION audit.drop_expired_partitions(retention interval)
RETURNS TABLE (action text, partition text, detail text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  expired record;
BEGIN
  FOR expired IN
    SELECT existing.partition::text AS name, existing.upper_bound
    FROM audit.partitions() AS existing WHERE existing.upper_bound <= now() - retention
  LOOP
    BEGIN
      EXECUTE format('DROP TABLE %s', expired.name);
      RETURN QUERY SELECT 'dropped', expired.name,
        format('events before %s, older than %s', expired.upper_bound, retention);
    EXCEPTION WHEN lock_not_available THEN
      RETURN QUERY SELECT 'kept', expired.name, 'queries held audit.events for more than 10 s; the next run drops it';
    END;
  END LOOP;
END
$$;
COMMENT ON FUNCTION audit.drop_expired_partitions(interval) IS
  'Drops the partitions that are wholly older than the retention (null: none). Returns what it did. Internal.';

CREATE OR REPLACE FUNCTION audit.maintain(
  ahead interval DEFAULT '3 months', retention interval DEFAULT NULL, period text DEFAULT 'month'
)
RETURNS TABLE (action text, partition text, detail text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET datestyle = 'ISO'
SET intervalstyle = 'postgres'
SET lock_timeout = '10s'
AS $$
DECLARE
  keep_from timestamptz := CASE WHEN retention IS NOT NULL THEN now() - retention END;
  horizon timestamptz := now() + ahead;
  old record;
  moved bigint;
  expired bigint;
  outside bigint;
BEGIN
  IF period IS NULL OR period NOT IN ('month', 'day') THEN
    RAISE EXCEPTION 'audit.maintain: period is %; allowed are month and day', quote_nullable(period)
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF ahead IS NULL OR ahead < interval '1 day' OR ahead > interval '5 years' THEN
    RAISE EXCEPTION 'audit.maintain: ahead is %; allowed are 1 day to 5 years', quote_nullable(ahead)
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF retention < interval '1 day' THEN
    RAISE EXCEPTION 'audit.maintain: retention is %; allowed are 1 day and more, or null to keep everything',
      quote_literal(retention)
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- One run at a time. The second finds the work done.
  PERFORM pg_advisory_xact_lock(hashtextextended('audit.maintain', 0));

  -- PostgreSQL refuses a partition while the default partition holds events of it. So the default partition is detached
  -- as a whole, and its events are inserted again into new partitions. Nothing is deleted row by row.
  IF EXISTS (SELECT FROM audit.events_default WHERE committed_at < horizon) THEN
    ALTER TABLE audit.events DETACH PARTITION audit.events_default;
    ALTER TABLE audit.events_default RENAME TO events_set_aside;
    PERFORM audit.add_partition(NULL, NULL);
    FOR old IN
      SELECT DISTINCT audit.period_start(committed_at, period) AS start FROM audit.events_set_aside
      WHERE committed_at < horizon AND (keep_from IS NULL OR committed_at >= keep_from)
      ORDER BY 1
    LOOP
      RETURN QUERY SELECT 'created', added::text, 'for events that had none'
        FROM audit.add_partitions(old.start, audit.period_end(old.start, period), period) AS added;
    END LOOP;
    INSERT INTO audit.events SELECT * FROM audit.events_set_aside WHERE keep_from IS NULL OR committed_at >= keep_from;
    GET DIAGNOSTICS moved = ROW_COUNT;
    SELECT count(*) - moved INTO expired FROM audit.events_set_aside;
    DROP TABLE audit.events_set_aside;
    SELECT count(*) INTO outside FROM audit.events_default;
    RETURN QUERY SELECT 'moved', 'audit.events_default', format('%s events to their partitions', moved - outside);
    IF expired > 0 THEN
      RETURN QUERY SELECT 'dropped', 'audit.events_default', format('%s events older than %s', expired, retention);
    END IF;
  END IF;

  -- The last period is included: the stream may be late, and a baseline has the time at which it was read.
  RETURN QUERY SELECT 'created', added::text, 'ahead of time'
    FROM audit.add_partitions(audit.period_start(now(), period) - interval '1 day', horizon, period) AS added;

  RETURN QUERY SELECT * FROM audit.drop_expired_partitions(retention);

  SELECT count(*) INTO outside FROM audit.events_default;
  IF outside > 0 THEN
    RETURN QUERY SELECT 'left', 'audit.events_default', format('%s events dated after %s', outside, horizon);
  END IF;
END
$$;
COMMENT ON FUNCTION audit.maintain(interval, interval, text) IS
  'Maintains the partitions of audit.events and returns what it did. It creates those of the time ahead, moves events out '
  'of the default partition, and drops partitions that are wholly older than the retention (null: none). Keep months '
  'unless you have a reason: a look-up without a time visits every partition. Choose day above some 50 million events a '
  'month, or for a retention of days.';
