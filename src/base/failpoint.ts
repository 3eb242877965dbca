/** Named points of the code at which a test may end or break the process. Nobody listens in the program itself: then nothing happens. */
import { channel } from 'node:diagnostics_channel';

/** A test's own module subscribes to it; what it throws is an error that nobody foresaw (P42). */
const reached = channel('headrace.failpoint');

/** `name`: `what.before` or `what.after`, as in test/support/failpoints.ts. */
export function failpoint(name: string): void {
  if (reached.hasSubscribers) reached.publish(name);
}
