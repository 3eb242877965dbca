/** The segments that an earlier process left: found, told apart, the last one's torn tail cut. */
import { join } from 'node:path';
import type { SpoolFile, SpoolFiles } from './files.ts';
import { findFrame, sequencesOf } from './frame.ts';
import type { Segment } from './log.ts';
import { SEGMENT_HEADER_BYTES, decodeHeader, scanTail, segmentNumber } from './segment.ts';

export interface FoundSegments {
  readonly segments: Segment[];
  readonly nextNumber: number;
  readonly nextSequence: number;
}

/** Reads each header, and the whole of the last segment only: how long it takes does not grow with the spool (G10). */
export async function openSegments(
  files: SpoolFiles,
  folder: string,
  warned: (message: string) => void,
): Promise<FoundSegments> {
  const listed = (await files.list(folder))
    .map(({ name, bytes }) => ({ name, bytes, number: segmentNumber(name) }))
    .filter((one): one is typeof one & { number: number } => one.number !== null)
    .sort((a, b) => a.number - b.number);
  const segments: Segment[] = [];
  let nextSequence = 0;
  // From the back: the last that holds anything is the one whose end must be found.
  for (const { name, bytes, number } of listed.toReversed()) {
    const path = join(folder, name);
    const file = await files.open(path);
    const found = await openOne({ number, path, file, bytes, last: segments.length === 0, warned }).catch(
      async (error: unknown) => {
        for (const one of [file, ...segments.map((segment) => segment.file)]) await one.close();
        throw error;
      },
    );
    if (found === null) {
      await file.close();
      // Not even its header was ever whole.
      if (bytes < SEGMENT_HEADER_BYTES && segments.length === 0) await files.remove(path);
      else await setAside(files, path, segments.length > 0, warned);
      continue;
    }
    segments.unshift(found);
    nextSequence = Math.max(nextSequence, found.firstSequence, found.safeBefore, found.endSequence ?? 0);
  }
  return { segments, nextNumber: (listed.at(-1)?.number ?? 0) + 1, nextSequence };
}

/** P32: what cannot be read is kept, and told. */
async function setAside(
  files: SpoolFiles,
  path: string,
  hasSuccessor: boolean,
  warned: (message: string) => void,
): Promise<void> {
  // The header goes with the first frames: a power loss may leave the file without either.
  const harmless = hasSuccessor ? '' : ' Where power was lost during its very first write, nothing of it was answered.';
  warned(`Nothing in the spool file ${path} can be read: it is kept with the ending .damaged.${harmless}`);
  await files.rename(path, `${path}.damaged`);
}

interface Candidate {
  readonly number: number;
  readonly path: string;
  readonly file: SpoolFile;
  readonly bytes: number;
  readonly last: boolean;
  readonly warned: (message: string) => void;
}

/** Null: there is nothing in it. */
async function openOne({ number, path, file, bytes, last, warned }: Candidate): Promise<Segment | null> {
  const start = Buffer.alloc(Math.min(bytes, SEGMENT_HEADER_BYTES));
  await file.read(start, 0);
  const header = decodeHeader(start, path);
  if (header !== null && !last) {
    return {
      number,
      path,
      file,
      ...header,
      readable: bytes,
      endSequence: null,
      damaged: false,
      seen: header.firstSequence,
    };
  }
  const whole = Buffer.allocUnsafeSlow(bytes);
  const content = whole.subarray(0, await file.read(whole, 0));
  const first = header?.firstSequence ?? firstIn(content);
  if (first === null) return null;
  const { end, endSequence } = scanTail(content);
  if (header === null) warned(`The header of the spool file ${path} is damaged; its messages are read all the same.`);
  if (end < bytes) {
    warned(`The spool file ${path} ends in ${bytes - end} bytes that are no message: a write that was cut off; cut.`);
    // Best effort: they are passed over in any case.
    await file.truncate(end).then(
      () => file.sync(),
      () => undefined,
    );
  }
  const safeBefore = header?.safeBefore ?? first;
  return {
    number,
    path,
    file,
    firstSequence: first,
    safeBefore,
    readable: end,
    endSequence: endSequence ?? first,
    damaged: header === null,
    seen: first,
  };
}

function firstIn(content: Buffer): number | null {
  const at = findFrame(content, 0);
  return at === -1 ? null : sequencesOf(content, at).first;
}
