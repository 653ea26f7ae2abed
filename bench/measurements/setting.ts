import type { Figure, Recorder } from "../report/results";
import type { AuditSystem } from "../systems/audit-system";
import type { Connection } from "../load/writer";

/** Where a system is measured, and how much of it. */
export interface Setting {
  readonly recorder: Recorder;
  /** The application, and a superuser of its database. */
  readonly application: Connection;
  readonly source: Connection;
  /** A superuser of the log's database, which is on the same server. */
  readonly observer: Connection;
  /** The broker's log folder, for the bytes of each topic. */
  readonly brokerLog: string;
  /** Seconds of each measurement at a rate. */
  readonly seconds: number;
  /** Changes of a full backlog. */
  readonly backlog: number;
}

/** A system with servers that no other system uses, so that several can be measured in turns. */
export interface SystemUnderTest {
  readonly system: AuditSystem;
  readonly setting: Setting;
  /** Ends its processes. */
  stop(): Promise<void>;
}

export type Measured = Omit<Figure, "system" | "phase" | "workload">;
