import type { Health, Moment } from "../../api";
import type { LogDatabase } from "../database";

/** Milliseconds that an answer serves everybody who asks. */
const kept = 2_000;

const freshnessQuestion = `
  SELECT audit.moment(max(newest)) AS newest, audit.moment(max(stored_at)) AS stored, max(lag_seconds)::float8 AS lag
  FROM audit.freshness()`;

const noSeal = "This version does not seal the log yet, so the page can't say whether it was changed.";

/** Asks how the log fares, at most once in two seconds, for all readers together. */
export class HealthView {
  private last: { readonly at: number; readonly health: Promise<Health> } | undefined;

  constructor(private readonly database: LogDatabase) {}

  now(): Promise<Health> {
    const at = Date.now();
    if (!this.last || at - this.last.at > kept) {
      const health = this.ask();
      this.last = { at, health };
      health.catch(() => {
        this.last = undefined;
      });
    }
    return this.last.health;
  }

  private async ask(): Promise<Health> {
    const [freshness, problems] = await Promise.all([
      this.database.read<{ newest: Moment | null; stored: Moment | null; lag: number | null }>(
        "freshness",
        freshnessQuestion,
        [],
      ),
      this.database.read<{ problem: string }>("problems", "SELECT problem FROM audit.log_problems()", []),
    ]);
    const { newest, stored, lag } = freshness[0] ?? { newest: null, stored: null, lag: null };
    return {
      newest,
      newestStoredAt: stored,
      lagSeconds: lag,
      deadLetters: null,
      problems: problems.map(({ problem }) => problem),
      seal: { state: "unknown", detail: noSeal },
      unknown: [
        "Dead letters stand in a Kafka topic, which this login can't read: npm run dead-letters lists them.",
        "Whether the source has changes that did not arrive can't be told from the log: the operator's canary does.",
      ],
    };
  }
}
