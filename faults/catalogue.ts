import type { Fault, FaultKind } from "./fault";
import { missingPartition, offsetsReset, olderPosition, poisonRecords, schemaChange } from "./kinds/data";
import { clockJump, clockRightAgainOffline, fullDisks, networkFaults, slowDestination } from "./kinds/environment";
import { immediateShutdowns, kills, orderlyStops, standstills } from "./kinds/processes";

/** Every fault that is known, by kind. A seed names the same faults only while their order stays. */
export const faultKinds: readonly FaultKind[] = [
  {
    title: "a process is killed",
    how: "`kill -9` of stand-in, broker, transformer or worker; a supervisor starts it again, as ECS and MSK do",
    faults: kills,
  },
  {
    title: "a database is shut down at once",
    how: "SIGQUIT of source or destination: no checkpoint, then crash recovery",
    faults: immediateShutdowns,
  },
  {
    title: "a process stands still",
    how: "SIGSTOP of a process and of all that it started",
    faults: standstills,
  },
  {
    title: "a connection is cut, or loses every packet",
    how: "cut: both ends are reset, and so are new connections; lost packets: nothing moves, and neither end is told",
    faults: networkFaults,
  },
  { title: "the destination is slow", how: "20 to 150 ms of delay, 0.1 to 2 MB/s", faults: [slowDestination] },
  {
    title: "a disk is full",
    how: "every block of the file system of source, destination or broker is taken",
    faults: fullDisks,
  },
  {
    title: "the connector's offsets are reset",
    how: "to the beginning while `audit.events` is small, later by 500 to 8,000 in each partition",
    faults: [offsetsReset],
  },
  {
    title: "the capture replays",
    how: "an older copy of the stand-in's slot takes the slot's place",
    faults: [olderPosition],
  },
  {
    title: "poison records",
    how: "unreadable change records and audit events, and rows that PostgreSQL refuses, among the good ones",
    faults: [poisonRecords],
  },
  {
    title: "a partition is missing",
    how: "the running partition ends within a second; `audit.maintain` runs later",
    faults: [missingPartition],
  },
  { title: "the schema changes", how: "`ADD COLUMN` while the table is written", faults: [schemaChange] },
  {
    title: "the transformer's clock jumps",
    how: "by 100 days back to 400 days forward, while the sink stands still",
    faults: [clockJump],
  },
  {
    title: "the transformer's clock is set right while its broker is away",
    how: "the clock is an hour or 400 days ahead; the connection is cut; the clock goes back",
    faults: [clockRightAgainOffline],
  },
  {
    title: "a process is stopped in order",
    how: "SIGTERM of transformer, worker, stand-in or broker, and a start",
    faults: orderlyStops,
  },
];

/** Every fault that is known. */
export const catalogue: readonly Fault[] = faultKinds.flatMap(({ faults }) => faults);
