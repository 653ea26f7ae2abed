import { type Fault, pause } from "../fault";
import { ShiftedClock } from "../injection/clock";
import { Disk } from "../injection/disk";
import { diskOwners, linkNames } from "../system";

export const networkFaults: Fault[] = linkNames.flatMap((link): Fault[] => [
  {
    name: `cut ${link}`,
    touches: [link],
    weight: 1,
    happen: async (system, seconds) => {
      system.link(link).cut();
      await pause(seconds);
      system.link(link).mend();
    },
  },
  {
    name: `lose every packet of ${link}`,
    touches: [link],
    weight: 0.7,
    long: 30,
    happen: async (system, seconds) => {
      system.link(link).freeze();
      await pause(seconds);
      system.link(link).mend();
    },
  },
]);

export const slowDestination: Fault = {
  name: "slow destination",
  touches: ["sink to database"],
  weight: 2,
  happen: async (system, seconds, random) => {
    const delay = random.integer(20, 150);
    const bytesPerSecond = random.pick([100_000, 500_000, 2_000_000]);
    system.link("sink to database").slow({ delay, bytesPerSecond });
    await pause(seconds);
    system.link("sink to database").mend();
    return `${delay} ms, ${bytesPerSecond / 1000} kB/s`;
  },
};

export const fullDisks: Fault[] = diskOwners.map((owner) => ({
  name: `disk full: ${owner}`,
  touches: [owner],
  weight: 1,
  shortest: 3,
  obstacle: () => Disk.obstacle(),
  happen: async (system, seconds) => {
    const disk = system.disks.get(owner) as Disk;
    await disk.fill();
    await pause(seconds);
    await disk.free();
  },
}));

/** The sink is stopped meanwhile: the broker must not delete as old what the sink has not read yet. */
export const clockJump: Fault = {
  name: "the transformer's clock jumps",
  touches: ["transformer", "worker"],
  weight: 2,
  shortest: 3,
  obstacle: () => ShiftedClock.obstacle(),
  happen: async (system, seconds, random) => {
    const hours = random.pick([-24 * 10, -24 * 100, -1, 1, 24 * 400]);
    system.signal("worker", "SIGSTOP");
    system.clock?.shift(hours * 3600);
    await pause(seconds);
    system.clock?.shift(0);
    system.signal("worker", "SIGCONT");
    return `${hours} hours`;
  },
};

/** Kafka's clients measure by this clock how long to wait until they connect again. */
export const clockRightAgainOffline: Fault = {
  name: "the transformer's clock is set right while its broker is away",
  touches: ["transformer", "transformer to broker"],
  weight: 1,
  shortest: 3,
  obstacle: () => ShiftedClock.obstacle(),
  happen: async (system, seconds, random) => {
    const hours = random.pick([1, 24 * 400]);
    system.clock?.shift(hours * 3600);
    system.link("transformer to broker").cut();
    await pause(seconds);
    system.clock?.shift(0);
    system.link("transformer to broker").mend();
    return `${hours} hours ahead before`;
  },
};
