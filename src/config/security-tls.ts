/** The spec of `tls`: authorities, client certificate, and how far the brokers are verified. */
import type { TlsConfig } from '../model/index.ts';
import type { At } from './report.ts';
import { checkAuthorities, checkKeyStore, checkPair } from './security-certificates.ts';
import { optional, type Spec } from './spec.ts';
import { object, type FieldValues } from './spec-composites.ts';
import { changingText, path, reference, secret, text } from './spec-scalars.ts';
import { describe, oneOfList } from './values.ts';

const verify: Spec<boolean | 'chain'> = {
  schema: { anyOf: [{ enum: [true, false, 'chain'] }, reference] },
  read(value, at) {
    if (typeof value === 'boolean' || value === 'chain') return value;
    if (at.isReferenced && (value === 'true' || value === 'false')) return value === 'true';
    return at.problem(
      `must be ${oneOfList(['true', 'chain', 'false'])}, and is ${describe(value, at)}.`,
      'Write true, chain or false, without quotes.',
    );
  },
};

const fields = {
  ca: optional(
    changingText('PEM', "'${file:ca.pem}'"),
    'Certificates of the authorities that brokers are verified by, as PEM. Left out: those of the system.',
    null,
  ),
  cert: optional(
    changingText('PEM', "'${file:client.pem}'"),
    "The client's certificate as PEM, those between it and its authority after it.",
    null,
  ),
  key: optional(secret(), 'The private key of `cert`, as PEM.', null),
  key_password: optional(secret(), 'The password of an encrypted `key`.', null),
  key_store: optional(
    path('/etc/headrace/client.p12'),
    'A PKCS#12 file that holds certificate and key, in place of `cert` and `key`.',
    null,
  ),
  key_store_password: optional(secret(), 'The password of `key_store`.', null),
  verify: optional(
    verify,
    'Whether brokers are verified: `true`; `chain`: their certificate and not their name; `false`: not at all.',
    true,
  ),
  server_name: optional(
    text({ pattern: /^[A-Za-z0-9_:.-]{1,253}$/, shape: 'a host name', example: 'kafka.example.com' }),
    'The name to ask for and to verify in place of the address.',
    null,
  ),
};

const written = object(fields, {
  description: 'Encryption.',
  refine(values, at): TlsConfig | undefined {
    if (values.verify === false) {
      at.child('verify').warning(
        'is false: anybody on the way can read and change what is sent.',
        'Give `ca` instead.',
      );
    }
    if (values.verify === 'chain') {
      at.child('verify').warning(
        'is chain: any server with a certificate of these authorities passes for a broker.',
        values.server_name === null
          ? 'Give `server_name` instead.'
          : 'Take it out: `server_name` says which name to verify.',
      );
    }
    if (!checkTogether(values, at)) return undefined;
    return {
      ca: values.ca,
      cert: values.cert,
      key: values.key,
      keyPassword: values.key_password,
      ...(values.key_store === null
        ? {}
        : { keyStore: { path: values.key_store, password: values.key_store_password } }),
      verify: values.verify,
      serverName: values.server_name,
    };
  },
});

/** What the fields are in the files of Kafka's clients. */
const javaNames = {
  cert: 'ssl.keystore.certificate.chain` or `ssl.certificate.location',
  key: 'ssl.keystore.key` or `ssl.key.location',
  key_store: 'ssl.keystore.location',
} as const;

function checkTogether(values: FieldValues<typeof fields>, at: At): boolean {
  const before = at.problemCount;
  const { ca, cert, key, key_password: keyPassword, key_store: store, key_store_password: storePassword } = values;
  const missing = (field: keyof typeof javaNames, other: string): undefined => {
    const pasted = at.child(other).pastedName;
    if (pasted !== null)
      return at.child(other).problem(`needs \`${javaNames[field]}\` beside it.`, 'Add it, or take this out.');
    return at.child(field).problem(`is missing beside \`${other}\`.`, `Add \`${field}\`, or take \`${other}\` out.`);
  };
  if (cert === null && key !== null) missing('cert', 'key');
  if (cert !== null && key === null) missing('key', 'cert');
  if (keyPassword !== null && key === null && cert === null) missing('key', 'key_password');
  if (storePassword !== null && store === null) missing('key_store', 'key_store_password');
  if (store !== null && (cert !== null || key !== null)) {
    at.child('key_store').problem(`contradicts \`${cert === null ? 'key' : 'cert'}\`.`, 'Keep one of the two.');
  }
  if (at.problemCount > before) return false;
  if (ca !== null) checkAuthorities(ca, at.child('ca'));
  if (ca !== null && values.verify === false) {
    at.child('ca').warning('is not used: `verify` is false.', 'Take `verify` out.');
  }
  if (cert !== null && key !== null) checkPair(cert, key, keyPassword, at);
  if (store !== null) checkKeyStore(store, storePassword, at);
  return at.problemCount === before;
}

/** `tls: true` is short for `tls: {}`. */
export const tls: Spec<TlsConfig> = {
  ...written,
  schema: { anyOf: [written.schema, { const: true }] },
  read: (value, at) => written.read(value === true ? {} : value, at),
};
