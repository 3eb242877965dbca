/** Encryption and login of a destination, in the client's terms. A mechanism is a file, and one line in the table here. */
import type { Clock } from '../../base/clock.ts';
import type { DestinationConfig, SaslConfig } from '../../model/index.ts';
import type { Security } from '../wire/connection.ts';
import type { Login, Mechanism, MechanismContext } from './mechanism.ts';
import { awsMskIam } from './msk-iam.ts';
import { oauthBearer } from './oauthbearer.ts';
import { passwordLogin } from './password.ts';
import { createEncryption } from './tls.ts';

/** The configuration of the mechanism of that name. */
type ConfigOf<Name, Config = SaslConfig> = Config extends { readonly mechanism: infer Names }
  ? Name extends Names
    ? Config & SaslConfig
    : never
  : never;

const mechanisms: { readonly [Name in SaslConfig['mechanism']]: Mechanism<ConfigOf<Name>> } = {
  plain: passwordLogin,
  'scram-sha-256': passwordLogin,
  'scram-sha-512': passwordLogin,
  oauthbearer: oauthBearer,
  'aws-msk-iam': awsMskIam,
};

/** Reads nothing yet: certificates, passwords and tokens are read at each dial. */
export function createSecurity(destination: DestinationConfig, clock: Clock): Security {
  const login =
    destination.sasl === null ? null : createLogin(destination.sasl, { clock, destination: destination.name });
  const encryption = destination.tls === null ? null : createEncryption(destination.tls, destination.name);
  return {
    async forBroker(address) {
      const tls = encryption?.(address) ?? {};
      return login === null ? tls : { ...tls, sasl: await login(address) };
    },
  };
}

function createLogin(config: SaslConfig, context: MechanismContext): Login {
  const create = mechanisms[config.mechanism] as Mechanism<SaslConfig>;
  return create(config, context);
}
