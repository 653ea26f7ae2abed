import { type Fault, pause } from "../fault";
import { parts, type Part } from "../system";

function down(name: string, part: Part, signal: NodeJS.Signals, options: { weight: number; long?: number }): Fault {
  return {
    name,
    touches: [part],
    ...options,
    happen: async (system, seconds) => {
      await system.end(part, signal);
      await pause(seconds);
      system.release(part);
    },
  };
}

export const kills: Fault[] = [
  down("kill the DMS stand-in", "DMS stand-in", "SIGKILL", { weight: 3 }),
  down("kill the broker", "broker", "SIGKILL", { weight: 3, long: 60 }),
  down("kill the transformer", "transformer", "SIGKILL", { weight: 2 }),
  down("kill the worker", "worker", "SIGKILL", { weight: 2 }),
];

export const immediateShutdowns: Fault[] = [
  down("shut the source database down at once", "source database", "SIGQUIT", { weight: 3 }),
  down("shut the destination database down at once", "destination database", "SIGQUIT", { weight: 3, long: 60 }),
];

export const orderlyStops: Fault[] = [
  down("stop the transformer in order", "transformer", "SIGTERM", { weight: 1 }),
  down("stop the worker in order", "worker", "SIGTERM", { weight: 1 }),
  down("stop the DMS stand-in in order", "DMS stand-in", "SIGTERM", { weight: 1 }),
  down("stop the broker in order", "broker", "SIGTERM", { weight: 1 }),
];

export const standstills: Fault[] = parts.map((part) => ({
  name: `SIGSTOP the ${part}`,
  touches: [part],
  weight: 1,
  long: 30,
  happen: async (system, seconds) => {
    system.signal(part, "SIGSTOP");
    await pause(seconds);
    system.signal(part, "SIGCONT");
  },
}));
