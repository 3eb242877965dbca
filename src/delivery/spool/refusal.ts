/** Why the spool does not take something now: whoever asked is told to come again. */

export class SpoolRefusal extends Error {
  /** The disk has no room. */
  readonly full: boolean;

  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = 'SpoolRefusal';
    this.full = options.cause !== undefined && isFull(options.cause);
  }
}

/** The system's error as a refusal in words for people. */
export function refusalOf(error: unknown): SpoolRefusal {
  if (error instanceof SpoolRefusal) return error;
  const text = isFull(error)
    ? 'the disk of the spool is full'
    : `the spool could not be written: ${(error as Error).message}`;
  return new SpoolRefusal(text, { cause: error });
}

export function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
}
