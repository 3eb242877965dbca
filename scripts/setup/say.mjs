/** What set-up tells: plain lines on standard error, a moving one for progress on a terminal. */

/** The one sentence that a failed set-up ends with: what is missing, and the remedy. */
export class SetupError extends Error {}

/** Set-up failed and what it started has said why. */
export const alreadySaid = new SetupError('');

export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** Prints the error's sentence (all of it for a fault of ours) and leaves with 1. */
export function fail(error) {
  if (error !== alreadySaid) say(sentence(error));
  process.exit(1);
}

function sentence(error) {
  if (error instanceof SetupError) return error.message;
  if (error?.code === 'ENOSPC') return 'The disk is full: free 1 GB and run this again.';
  if (['EACCES', 'EPERM', 'EROFS'].includes(error?.code) && error.path)
    return `This user may not write ${error.path}: make it yours (chown), or run this as its owner.`;
  return String(error?.stack ?? error);
}

/**
 * Bytes done of a total: rewritten in place on a terminal, else a line at every quarter.
 * Returns a function to be called with the bytes that came.
 */
export function progress(what, totalBytes) {
  const terminal = process.stderr.isTTY === true;
  const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
  let done = 0;
  let shown = -1;
  return {
    add(bytes) {
      done += bytes;
      const percent = Math.min(100, Math.max(0, Math.floor((100 * done) / totalBytes)));
      const step = terminal ? percent : Math.floor(percent / 25);
      if (step <= shown) return;
      shown = step;
      const line = `${what}: ${megabytes(done)} of ${megabytes(totalBytes)} MB (${percent} %)`;
      if (terminal) process.stderr.write(`\r${line}`);
      else say(line);
    },
    end() {
      if (terminal && shown >= 0) process.stderr.write('\n');
    },
  };
}
