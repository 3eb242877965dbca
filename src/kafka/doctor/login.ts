/** Before the login: whether the listener asks for one, and by the mechanism that the destination has. */
import type { DestinationConfig, SaslConfig } from '../../model/index.ts';
import { StepFailure } from './report.ts';

const wireNames: Readonly<Record<SaslConfig['mechanism'], string>> = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
  oauthbearer: 'OAUTHBEARER',
  // Its tokens go by OAUTHBEARER.
  'aws-msk-iam': 'OAUTHBEARER',
};

/** `offered`: null when the listener expects no login. Throws StepFailure when the two do not fit. */
export function compareLogin({ sasl }: DestinationConfig, offered: readonly string[] | null, listener: string): void {
  if (sasl === null) {
    if (offered === null || offered.length === 0) return;
    throw new StepFailure(
      `the listener ${listener} expects SASL (it offers ${offered.join(', ')})`,
      'Set `sasl` on the destination, or name the port of a listener without it.',
    );
  }
  if (offered === null)
    throw new StepFailure(
      `the listener ${listener} expects no login, and the destination has \`sasl\``,
      'Leave `sasl` out (`protocol: plaintext` or `ssl`), or name the port of the listener with SASL.',
    );
  const wanted = wireNames[sasl.mechanism];
  if (offered.includes(wanted)) return;
  const others = offered.length === 0 ? 'no mechanism' : offered.join(', ');
  throw new StepFailure(
    `the listener ${listener} does not offer ${wanted}: it offers ${others}`,
    `Set \`sasl: {mechanism: …}\` to one that it offers (${others}), or switch ${wanted} on at the brokers (sasl.enabled.mechanisms).`,
  );
}
