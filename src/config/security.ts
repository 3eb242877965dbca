/** What `protocol`, `tls` and `sasl` say together. */
import type { DestinationConfig, Protocol, SaslConfig, TlsConfig } from '../model/index.ts';
import { suggest } from '../base/suggest.ts';
import type { At } from './report.ts';
import type { Spec } from './spec.ts';
import { describe, oneOfList } from './values.ts';

const protocols: readonly Protocol[] = ['plaintext', 'ssl', 'sasl_plaintext', 'sasl_ssl'];

const anyCase = String.raw`^([Ss][Aa][Ss][Ll][ _-])?([Ss][Ss][Ll]|[Pp][Ll][Aa][Ii][Nn][Tt][Ee][Xx][Tt])$|\$\{[^}]+\}`;

/** Also as Kafka's own files have it: SASL_SSL. */
export const protocol: Spec<Protocol> = {
  schema: {
    anyOf: [{ enum: [...protocols] }, { type: 'string', pattern: anyCase }],
  },
  read(value, at) {
    const folded = typeof value === 'string' ? value.toLowerCase().replaceAll(/[ -]/g, '_') : null;
    const found = protocols.find((one) => one === folded);
    if (found !== undefined) return found;
    const near = folded === null ? null : suggest(folded, protocols);
    const remedy = near === null ? `Write ${oneOfList(protocols)}.` : `Did you mean ${near}?`;
    return at.problem(`must be ${oneOfList(protocols)}, and is ${describe(value, at)}.`, remedy);
  },
};

export interface WrittenSecurity {
  readonly protocol: Protocol | null;
  readonly tls: TlsConfig | null;
  readonly sasl: SaslConfig | null;
}

type Security = Pick<DestinationConfig, 'protocol' | 'tls' | 'sasl'>;

const systemTls: TlsConfig = { ca: null, cert: null, key: null, keyPassword: null, verify: true, serverName: null };

/** `at` is the destination. Left out, the protocol follows from the others; encryption is never left away for a login. */
export function securityOf(written: WrittenSecurity, at: At): Security | undefined {
  const { sasl, tls } = written;
  const chosen = written.protocol ?? (sasl !== null ? 'sasl_ssl' : tls !== null ? 'ssl' : 'plaintext');
  const before = at.problemCount;
  const pasted = at.child('protocol').pastedName;
  const said = pasted === null ? `protocol: ${chosen}` : `${pasted}=${chosen.toUpperCase()}`;
  /** As it was written: a field, or the property it comes from. */
  const subject = (field: 'tls' | 'sasl'): string => at.child(field).pastedName ?? field;
  const change = (other: string): string =>
    pasted === null ? `Write protocol: ${other}` : `Write ${pasted}=${other.toUpperCase()}`;
  const encrypts = chosen === 'ssl' || chosen === 'sasl_ssl';
  const logsIn = chosen === 'sasl_plaintext' || chosen === 'sasl_ssl';
  if (tls !== null && !encrypts) {
    const other = logsIn ? 'sasl_ssl' : 'ssl';
    at.child('tls').problem(
      `contradicts \`${said}\`, which has no encryption.`,
      `${change(other)}, or take \`${subject('tls')}\` out.`,
    );
  }
  if (sasl !== null && !logsIn) {
    const other = encrypts ? 'sasl_ssl' : 'sasl_plaintext';
    at.child('sasl').problem(
      `contradicts \`${said}\`, which has no login.`,
      `${change(other)}, or take \`${subject('sasl')}\` out.`,
    );
  }
  if (sasl === null && logsIn) {
    const add = pasted === null ? '`sasl`' : '`sasl.jaas.config` (or `sasl`)';
    at.child('sasl').problem(`is missing beside \`${said}\`.`, `Add ${add}, or take \`${pasted ?? 'protocol'}\` out.`);
  }
  if (at.problemCount > before) return undefined;
  if (chosen === 'sasl_plaintext') {
    at.child('protocol').warning('is sasl_plaintext: the login and all messages go unencrypted.', 'Use sasl_ssl.');
  }
  return { protocol: chosen, sasl, tls: encrypts ? (tls ?? systemTls) : null };
}
