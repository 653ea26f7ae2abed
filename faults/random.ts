/** Random draws (mulberry32). The same seed gives the same draws on every machine. */
export class Random {
  private state: number;

  /** @param seed any integer. */
  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** An independent stream of draws: what is drawn from one changes no other. */
  static of(seed: number, stream: number): Random {
    return new Random(Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) + Math.imul(stream + 1, 0xc2b2ae35));
  }

  /** At least 0, below 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  /** A whole number, both ends included. */
  integer(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  number(from: number, to: number): number {
    return from + this.next() * (to - from);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.integer(0, values.length - 1)] as T;
  }

  /** One of the values, each as likely as its weight says. */
  weighted<T extends { readonly weight: number }>(values: readonly T[]): T {
    let rest = this.next() * values.reduce((sum, { weight }) => sum + weight, 0);
    for (const value of values) {
      rest -= value.weight;
      if (rest < 0) return value;
    }
    return values.at(-1) as T;
  }
}
