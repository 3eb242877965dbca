/** Dials several brokers, each a while after the one before unless that has failed by then: the first to answer is taken. */
import type { Clock } from '../../base/clock.ts';

/** A frozen broker still takes connections, and says nothing on them: so long it is waited for before another one is tried. */
const APART_MS = 500;

/**
 * What comes of the others is closed. Throws their one error, or all in an AggregateError, when none can be opened.
 * `addresses`: at least one, in the order in which they are to be tried.
 */
export async function firstToOpen<Address, Connection extends { close(): Promise<void> }>(
  addresses: readonly Address[],
  open: (address: Address) => Promise<Connection>,
  clock: Clock,
): Promise<Connection> {
  const { promise, resolve, reject } = Promise.withResolvers<Connection>();
  const errors: unknown[] = [];
  let next = 0;
  let isTaken = false;
  let cancel = (): void => undefined;
  const dial = (): void => {
    cancel();
    if (isTaken || next >= addresses.length) return;
    const address = addresses[next++]!;
    if (next < addresses.length) cancel = clock.after(APART_MS, dial);
    open(address).then(
      (connection) => {
        if (isTaken) return void connection.close();
        isTaken = true;
        cancel();
        resolve(connection);
      },
      (error: unknown) => {
        errors.push(error);
        if (errors.length === addresses.length)
          reject(errors.length === 1 ? error : new AggregateError(errors, 'no broker can be reached'));
        else dial();
      },
    );
  };
  dial();
  return promise;
}
