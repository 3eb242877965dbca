/** A segment: one file of frames behind a header that says which format they have and what came before them. */
import { crc32c } from '../../base/crc32c.ts';
import { HeadraceError } from '../../model/index.ts';
import { findFrame, frameAt, sequencesOf } from './frame.ts';

export const SEGMENT_FORMAT = 1;
export const SEGMENT_HEADER_BYTES = 32;
const magic = Buffer.from('HRSPOOL\n');

export interface SegmentHeader {
  readonly firstSequence: number;
  /** Everything below was safe when the segment was begun: what of it is not found in earlier ones is lost, and told. */
  readonly safeBefore: number;
}

/** `0000000042.seg`: in the order of their numbers. */
export function segmentName(number: number): string {
  return `${String(number).padStart(10, '0')}.seg`;
}

export function segmentNumber(name: string): number | null {
  const match = /^(\d{10})\.seg$/.exec(name);
  return match === null ? null : Number(match[1]);
}

export function encodeHeader({ firstSequence, safeBefore }: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  magic.copy(bytes);
  bytes.writeUInt32LE(SEGMENT_FORMAT, 8);
  bytes.writeDoubleLE(firstSequence, 12);
  bytes.writeDoubleLE(safeBefore, 20);
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, 28)), 28);
  return bytes;
}

/** Null when it is damaged or incomplete. Throws HeadraceError `state_failed` for a format that is newer (P46). */
export function decodeHeader(bytes: Buffer, path: string): SegmentHeader | null {
  if (bytes.length < SEGMENT_HEADER_BYTES || !bytes.subarray(0, 8).equals(magic)) return null;
  if (bytes.readUInt32LE(28) !== crc32c(bytes.subarray(0, 28))) return null;
  const format = bytes.readUInt32LE(8);
  if (format > SEGMENT_FORMAT) {
    throw new HeadraceError(
      'state_failed',
      `The spool file ${path} has format ${format}; this version reads formats up to ${SEGMENT_FORMAT}.`,
      { remedy: 'Start the newer version of Headrace that wrote it, let it empty the spool, and then go back.' },
    );
  }
  return { firstSequence: bytes.readDoubleLE(12), safeBefore: bytes.readDoubleLE(20) };
}

/** The end of the last sound frame, and the sequence after it. Damage before it is the reader's to tell. */
export function scanTail(bytes: Buffer): { readonly end: number; readonly endSequence: number | null } {
  let end = Math.min(bytes.length, SEGMENT_HEADER_BYTES);
  let endSequence: number | null = null;
  for (let at = end; at < bytes.length;) {
    const found = frameAt(bytes, at);
    if (typeof found === 'string') {
      at = findFrame(bytes, at + 1);
      if (at === -1) break;
      continue;
    }
    endSequence = sequencesOf(bytes, at).end;
    at = end = found.end;
  }
  return { end, endSequence };
}
