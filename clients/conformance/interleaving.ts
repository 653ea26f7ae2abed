import type { Batch, Feature, Request, Step } from "./protocol";

/** Numbers from 0 to below 1 that a seed decides. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Requests in each batch. */
const batchSize = 250;
const pools = [1, 2, 4, 8];

/**
 * Batches of requests that begin at once on pools that are cold, busy and too small, each request by an actor of its own or by
 * nobody.
 *
 * @param cannot Features that the client lacks.
 * @param start Number of the first request. Names and keys have the numbers, so that runs over one table can differ in them.
 */
export function* interleavedBatches(
  requests: number,
  seed: number,
  cannot: ReadonlySet<Feature>,
  start = 0,
): Generator<Batch> {
  const random = randomNumbers(seed);
  for (let first = 0; first < requests; first += batchSize) {
    const count = Math.min(batchSize, requests - first);
    yield {
      pool: pools[Math.floor(random() * pools.length)] as number,
      fresh: random() < 0.3,
      concurrent: true,
      requests: Array.from({ length: count }, (_, place) => interleaved(start + first + place, random, cannot)),
    };
  }
}

function interleaved(number: number, random: () => number, cannot: ReadonlySet<Feature>): Request {
  let rows = 0;
  const insert = (): Step => ({ insert: `i${number}-${++rows}` });
  const steps: Step[] = Array.from({ length: 1 + Math.floor(random() * 2) }, () => {
    const kinds: readonly (readonly [Feature | undefined, () => Step])[] = [
      ["savepoint", () => ({ transaction: [{ savepoint: [insert()], rollback: true }, insert()] })],
      ["transaction", () => ({ transaction: [insert(), { read: true }, insert()] })],
      ["transaction", () => ({ transaction: [insert()], rollback: true })],
      ["lost", () => ({ lost: [insert()] })],
      [undefined, () => ({ read: true })],
    ];
    const kind = kinds[Math.floor(random() * 2 * kinds.length)];
    // Half of them are bare writes.
    return !kind || (kind[0] && (cannot.has(kind[0]) || cannot.has("transaction"))) ? insert() : kind[1]();
  });
  return random() < 0.1 ? { actor: null, steps } : { actor: `actor-${number}`, request_id: `r-${number}`, steps };
}
