/** Randomness, and the only place that makes it. */
import { randomBytes as bytes, randomInt, randomUUID } from 'node:crypto';

export function randomBytes(count: number): Buffer {
  return bytes(count);
}

/** An integer with `from <= n < below`. */
export function randomInteger(from: number, below: number): number {
  return randomInt(from, below);
}

/** `count` random bytes in hexadecimal. */
export function randomHex(count: number): string {
  return bytes(count).toString('hex');
}

/** An identifier that is nobody else's (a UUID). */
export function randomId(): string {
  return randomUUID();
}

/** `0 <= n < 1`, for jitter; not for secrets. */
export function random(): number {
  return Math.random();
}
