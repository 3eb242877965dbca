/** Randomness, and the only place that makes it. */
import { randomBytes as bytes, randomInt } from 'node:crypto';

export function randomBytes(count: number): Buffer {
  return bytes(count);
}

/** An integer with `from <= n < below`. */
export function randomInteger(from: number, below: number): number {
  return randomInt(from, below);
}
