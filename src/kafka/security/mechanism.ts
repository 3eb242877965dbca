/** What a SASL mechanism is here: a file that exports a function from its configuration to the client's options. */
import type { SASLOptions } from '@platformatic/kafka';
import type { Clock } from '../../base/clock.ts';
import type { BrokerAddress, SaslConfig } from '../../model/index.ts';

/**
 * Made once for a destination. `config` is what the destination says of this mechanism; nothing is read from files and
 * nothing is asked of anyone here.
 */
export type Mechanism<Config extends SaslConfig> = (config: Config, context: MechanismContext) => Login;

/**
 * What one connection to one broker needs to log in, asked for at every dial. User name, password and token in it may be
 * functions: the client calls them at the login and again at each renewal of it (`connections.max.reauth.ms`).
 * Throws HeadraceError when there is nothing to log in with.
 */
export type Login = (address: BrokerAddress) => Promise<SASLOptions>;

export interface MechanismContext {
  readonly clock: Clock;
  /** The destination's name, for messages to people. */
  readonly destination: string;
}
