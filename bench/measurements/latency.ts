import { Client } from "pg";
import type { ClientConfig } from "pg";
import type { LogTable } from "../systems/audit-system";

/** Percentiles of a set of durations, in milliseconds. */
export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** Durations in milliseconds, each with how often it occurred. */
type Durations = readonly { readonly milliseconds: number; readonly times: number }[];

export function percentiles(durations: Durations): Percentiles {
  const sorted = [...durations].sort((a, b) => a.milliseconds - b.milliseconds);
  const count = sorted.reduce((sum, { times }) => sum + times, 0);
  const at = (share: number) => {
    let passed = 0;
    for (const { milliseconds, times } of sorted) {
      passed += times;
      if (passed > count * share) return milliseconds;
    }
    return sorted.at(-1)?.milliseconds ?? Number.NaN;
  };
  return { count, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: sorted.at(-1)?.milliseconds ?? Number.NaN };
}

/** Commit times of one announcement, so that it stays below the 8,000 bytes that NOTIFY takes. */
const announced = 300;

/**
 * Measures commit-to-visible latency: a statement trigger on each log table announces the commit times of what was
 * stored, and PostgreSQL delivers the announcement when the storing transaction becomes visible. Both clocks are this
 * machine's. Every system pays for the same trigger.
 */
export class LatencyProbe {
  private readonly durations: { milliseconds: number; times: number }[] = [];

  private constructor(
    private readonly client: Client,
    private readonly tables: readonly LogTable[],
  ) {}

  static async start(connection: ClientConfig, tables: readonly LogTable[]): Promise<LatencyProbe> {
    const client = new Client(connection);
    client.on("error", () => undefined);
    await client.connect();
    const self = new LatencyProbe(client, tables);
    client.on("notification", ({ payload }) => self.stored(payload ?? ""));
    await client.query("CREATE SCHEMA bench");
    for (const [index, table] of tables.entries()) await client.query(trigger(table, `announce_${index}`));
    await client.query("LISTEN bench_stored");
    return self;
  }

  result(): Percentiles {
    return percentiles(this.durations);
  }

  /** Removes the triggers, so that later measurements pay nothing for them. */
  async stop(): Promise<void> {
    for (const { name } of this.tables) await this.client.query(`DROP TRIGGER bench_announce ON ${name}`);
    await this.client.query("DROP SCHEMA bench CASCADE");
    await this.client.end();
  }

  /** `nonce time:count time:count …`; the nonce keeps PostgreSQL from folding two equal announcements into one. */
  private stored(announcement: string): void {
    const now = performance.timeOrigin + performance.now();
    for (const part of announcement.split(" ").slice(1)) {
      const [committed, times] = part.split(":").map(Number) as [number, number];
      this.durations.push({ milliseconds: now - committed, times });
    }
  }
}

function trigger({ name, committedAt, changes }: LogTable, functionName: string): string {
  return `
    CREATE FUNCTION bench.${functionName}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
      PERFORM pg_notify('bench_stored', clock_timestamp()::time || min(part)::text || ' ' || string_agg(committed || ':' || times, ' '))
      FROM (
        SELECT committed, times, row_number() OVER () / ${announced} AS part
        FROM (
          SELECT (${committedAt})::numeric(16, 3)::text AS committed, count(*) AS times
          FROM stored WHERE ${changes} GROUP BY 1
        ) AS by_time
      ) AS parts
      GROUP BY part;
      RETURN NULL;
    END $$;
    CREATE TRIGGER bench_announce AFTER INSERT ON ${name}
      REFERENCING NEW TABLE AS stored FOR EACH STATEMENT EXECUTE FUNCTION bench.${functionName}();`;
}
