import type { Pool } from "pg";
import { captureSchema, neverAudited } from "../../contract/change-capture";
import type { Log } from "./log";
import { isOutage } from "./source-database";

const table = `${captureSchema.heartbeatSchema}.${neverAudited.tablePrefix}heartbeat`;

/**
 * Changes one row from time to time, as DMS does with `heartbeatEnable`: so even a database in which nothing else
 * happens writes WAL that the slot can confirm. The table is not among the captured ones.
 */
export class Heartbeat {
  private timer: NodeJS.Timeout | undefined;
  private beating: Promise<void> | undefined;
  private failed = false;

  /** @param seconds between heartbeats; 0 for none. */
  constructor(
    private readonly database: Pool,
    private readonly seconds: number,
    private readonly log: Log,
  ) {}

  /** Beats at once, and then at intervals. Does nothing when it does so already. */
  start(): void {
    if (this.seconds === 0 || this.timer) return;
    const beat = () => void (this.beating ??= this.beat().finally(() => (this.beating = undefined)));
    this.timer = setInterval(beat, this.seconds * 1000);
    beat();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async beat(): Promise<void> {
    try {
      // Creating would need CREATE on the schema even where the table is there already.
      const { rows } = await this.database.query("select to_regclass($1) as found", [table]);
      if (rows[0].found === null) {
        await this.database.query(
          `create table if not exists ${table} (hb_key integer primary key, hb_created_at timestamp,
             hb_created_by varchar(64), hb_last_heartbeat_at timestamp, hb_last_heartbeat_by varchar(64))`,
        );
      }
      await this.database.query(
        `insert into ${table} values (1, now(), current_user, now(), current_user)
           on conflict (hb_key) do update set hb_last_heartbeat_at = now(), hb_last_heartbeat_by = current_user`,
      );
      this.failed = false;
    } catch (error) {
      if (isOutage(error) || this.failed) return;
      this.failed = true;
      this.log.warn("heartbeat-failed", {
        reason: (error as Error).message,
        fix: `Create the schema ${captureSchema.heartbeatSchema} and GRANT USAGE, CREATE on it to the source's role.`,
      });
    }
  }
}
