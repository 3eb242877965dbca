/** Encryption and login of a destination, in the client's terms. */
import type { Clock } from '../../base/clock.ts';
import type { DestinationConfig } from '../../model/index.ts';
import type { Security } from '../wire/connection.ts';

/** Reads nothing yet: certificates, passwords and tokens are read at each dial. */
export function createSecurity(_destination: DestinationConfig, _clock: Clock): Security {
  return { forBroker: () => Promise.resolve({}) };
}
