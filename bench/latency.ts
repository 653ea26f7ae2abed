import { Client } from "pg";
import type { ClientConfig } from "pg";

/** Percentiles of a set of durations, in milliseconds. */
export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

export function percentiles(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { count: sorted.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: sorted.at(-1) ?? Number.NaN };
}

const probe = `
  CREATE SCHEMA IF NOT EXISTS bench;
  CREATE OR REPLACE FUNCTION bench.announce() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
  BEGIN
    PERFORM pg_notify('bench_stored', string_agg((extract(epoch FROM committed_at) * 1000)::numeric(16, 3)::text, ' '))
    FROM (SELECT committed_at, row_number() OVER () AS n FROM stored WHERE operation IN ('insert', 'update', 'delete')) rows
    GROUP BY n / 400;
    RETURN NULL;
  END $$;
  CREATE OR REPLACE TRIGGER bench_announce AFTER INSERT ON audit.events
    REFERENCING NEW TABLE AS stored FOR EACH STATEMENT EXECUTE FUNCTION bench.announce();`;

/**
 * Measures commit-to-visible latency: a trigger on the audit table announces the commit times of what was stored, and
 * PostgreSQL delivers the announcement when the sink's transaction becomes visible. Both clocks are this machine's.
 */
export class LatencyProbe {
  private readonly values: number[] = [];
  private constructor(private readonly client: Client) {}

  static async start(connection: ClientConfig): Promise<LatencyProbe> {
    const client = new Client(connection);
    client.on("error", () => undefined);
    await client.connect();
    await client.query(probe);
    const self = new LatencyProbe(client);
    client.on("notification", ({ payload }) => {
      const now = performance.timeOrigin + performance.now();
      for (const committed of payload?.split(" ") ?? []) if (committed) self.values.push(now - Number(committed));
    });
    await client.query("LISTEN bench_stored");
    return self;
  }

  /** Forgets what was measured so far, e.g. a warm-up. */
  reset(): void {
    this.values.length = 0;
  }

  get count(): number {
    return this.values.length;
  }

  result(): Percentiles {
    return percentiles(this.values);
  }

  /** Removes the trigger, so that later measurements pay nothing for it. */
  async stop(): Promise<void> {
    await this.client.query("DROP TRIGGER IF EXISTS bench_announce ON audit.events; DROP SCHEMA bench CASCADE");
    await this.client.end();
  }
}
