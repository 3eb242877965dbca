/** Listeners with TLS and login for the benchmark's broker, and what each client needs to reach them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ListenerOptions } from '../../src/local/properties.ts';
import { issue } from '../../test/support/certificates.ts';
import type { DestinationCase } from '../destination.bench.ts';

export const SCRAM_USER = { username: 'bench', password: 'bench-password' };

/** Certificates go into the folder. The user must be made with SCRAM-SHA-512 before the first run. */
export function secureListeners(folder: string): { listeners: ListenerOptions[]; cases: DestinationCase[] } {
  const authority = issue({ commonName: 'authority', authority: true });
  const server = issue({ commonName: 'server', altNames: ['localhost', '127.0.0.1'], issuer: authority });
  const ca = join(folder, 'ca.pem');
  const keys = join(folder, 'server.pem');
  writeFileSync(ca, authority.pem);
  writeFileSync(keys, server.chain + server.key);
  const tls = { 'ssl.keystore.type': 'PEM', 'ssl.keystore.location': keys };
  const login = {
    'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
    'scram-sha-512.sasl.jaas.config': 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
  };
  const { username, password } = SCRAM_USER;
  const trust = ['ssl.truststore.type=PEM', `ssl.truststore.location=${ca}`];
  const jaas = `org.apache.kafka.common.security.scram.ScramLoginModule required username="${username}" password="${password}";`;
  return {
    listeners: [
      { name: 'SSL', protocol: 'SSL', properties: tls },
      { name: 'SASLSSL', protocol: 'SASL_SSL', properties: { ...tls, ...login } },
    ],
    cases: [
      {
        name: 'SSL',
        listener: 'SSL',
        destination: { tls: { ca: `\${file:${ca}}` } },
        properties: ['security.protocol=SSL', ...trust],
      },
      {
        name: 'SASL_SSL with SCRAM-SHA-512',
        listener: 'SASLSSL',
        destination: { tls: { ca: `\${file:${ca}}` }, sasl: { mechanism: 'scram-sha-512', username, password } },
        properties: [
          'security.protocol=SASL_SSL',
          ...trust,
          'sasl.mechanism=SCRAM-SHA-512',
          `sasl.jaas.config=${jaas}`,
        ],
        target: 0.7,
      },
    ],
  };
}
