/** One printed 64-bit seed, and from it a stream of random numbers for each name: the same seed gives the same plan. */
import { createHash, randomBytes } from 'node:crypto';

export interface Random {
  /** At least 0, less than 1, 32 bits of it random. */
  next(): number;
  /** A whole number, at least 0 and less than `below`. */
  below(below: number): number;
  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number;
  chance(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  bytes(length: number): Buffer;
  /** Letters and digits. */
  text(length: number): string;
  /** A new list in another order. */
  shuffle<T>(list: readonly T[]): T[];
  /** A stream of its own: what is drawn from one does not move the others. */
  stream(name: string): Random;
}

/** The seed of this process: `HEADRACE_SEED` (decimal or 0x…) where given, else a new one. Printed by `announceSeed`. */
export const seed: bigint = readSeed(process.env['HEADRACE_SEED']);

/** Says the seed once, in the form in which it can be given again. To be called by every test that draws from it. */
export function announceSeed(log: (line: string) => void): string {
  const text = `0x${seed.toString(16)}`;
  log(`seed ${text} (repeat with HEADRACE_SEED=${text})`);
  return text;
}

/** The stream `name` of a seed, by default of this process's. */
export function random(name: string, from: bigint = seed): Random {
  const state = new Uint32Array(4);
  const digest = createHash('sha256')
    .update(`${BigInt.asUintN(64, from).toString(16)}/${name}`)
    .digest();
  for (let i = 0; i < 4; i++) state[i] = digest.readUInt32LE(i * 4);
  return fromState(state, (child) => random(`${name}/${child}`, from));
}

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

function fromState(state: Uint32Array, stream: (name: string) => Random): Random {
  const word = (): number => xoshiro128(state);
  const below = (limit: number): number => Math.floor((word() / 2 ** 32) * limit);
  const between = (from: number, to: number): number => from + below(to - from + 1);
  return {
    next: () => word() / 2 ** 32,
    below,
    between,
    chance: (probability) => word() / 2 ** 32 < probability,
    pick: (list) => {
      if (list.length === 0) throw new RangeError('pick: the list is empty');
      return list[below(list.length)]!;
    },
    bytes(length) {
      const bytes = Buffer.alloc(length);
      for (let i = 0; i < length; i++) bytes[i] = word() >>> 24;
      return bytes;
    },
    text: (length) => Array.from({ length }, () => letters[below(letters.length)]).join(''),
    shuffle(list) {
      const copy = [...list];
      for (let i = copy.length - 1; i > 0; i--) {
        const j = below(i + 1);
        [copy[i], copy[j]] = [copy[j]!, copy[i]!];
      }
      return copy;
    },
    stream,
  };
}

/** The generator xoshiro128**: small, fast and even enough for plans and payloads. */
function xoshiro128(state: Uint32Array): number {
  const [a, b, c, d] = [state[0]!, state[1]!, state[2]!, state[3]!];
  const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
  state[2] = c ^ a;
  state[3] = d ^ b;
  state[1] = b ^ state[2];
  state[0] = a ^ state[3];
  state[2] ^= b << 9;
  state[3] = rotate(state[3], 11);
  return result;
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

function readSeed(given: string | undefined): bigint {
  if (given === undefined || given === '') return randomBytes(8).readBigUInt64BE();
  if (!/^(0x[0-9a-f]{1,16}|\d{1,20})$/i.test(given))
    throw new Error(`HEADRACE_SEED must be a whole number of 64 bits, decimal or 0x…, not "${given}"`);
  return BigInt.asUintN(64, BigInt(given));
}
