/** As much of DER as telling keys and certificates apart takes. */

export interface DerValue {
  readonly tag: number;
  readonly content: Buffer;
  /** Tag, length and content. */
  readonly whole: Buffer;
}

/** The values one after the other; null when the bytes are no DER. */
export function derValues(bytes: Buffer): DerValue[] | null {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length;) {
    const value = derValue(bytes.subarray(at));
    if (value === null) return null;
    values.push(value);
    at += value.whole.length;
  }
  return values;
}

/** The largest whole number in a value and all within it (8 bytes of it at most count); numbers deeper than 8 do not. */
export function largestNumber(value: DerValue, depth = 0): number {
  if (value.tag === 0x02) {
    const digits = value.content.subarray(0, 8);
    return digits.length === 0 ? 0 : Number(BigInt(`0x${digits.toString('hex')}`));
  }
  if ((value.tag & 0x20) === 0 || depth > 8) return 0;
  return Math.max(0, ...(derValues(value.content) ?? []).slice(0, 100).map((one) => largestNumber(one, depth + 1)));
}

function derValue(bytes: Buffer): DerValue | null {
  const [tag, first] = bytes;
  if (tag === undefined || first === undefined) return null;
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  if (lengthBytes > 4 || first === 0x80 || bytes.length < 2 + lengthBytes) return null;
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(2, lengthBytes);
  const start = 2 + lengthBytes;
  if (bytes.length < start + length) return null;
  return { tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(0, start + length) };
}
