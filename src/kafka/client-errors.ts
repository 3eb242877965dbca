/**
 * What goes wrong before a broker answers at all: names, connections, encryption, login, answers that are none. By the codes
 * that Node and the client give; data to be read, like the table of Kafka's own errors.
 */
import type { ErrorRow } from './error-table.ts';

export interface ClientErrorRow extends ErrorRow {
  /** What a person calls it. */
  readonly name: string;
  /** `code` of the error or of one of its causes; a trailing `*` stands for any rest. */
  readonly codes: readonly string[];
}

const UNREACHABLE = 'Check that the brokers run and can be reached from here.';

const unreachable = (reason: string, remedy = UNREACHABLE): ErrorRow => ({
  action: 'retry',
  code: 'kafka_unreachable',
  reason,
  remedy,
  stale: true,
});
const refused = (reason: string, remedy: string): ErrorRow => ({
  action: 'stop',
  code: 'authentication_failed',
  reason,
  remedy,
});
const tls = (reason: string, remedy: string): ErrorRow => ({ action: 'stop', code: 'tls_failed', reason, remedy });

/** The first that fits counts, and the deepest cause is looked at first. */
export const clientErrors: readonly ClientErrorRow[] = [
  {
    name: 'certificate expired',
    codes: ['CERT_HAS_EXPIRED', 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED'],
    ...tls('a certificate has expired', 'Renew the certificate that is named, of the broker or of Headrace.'),
  },
  {
    name: 'certificate not valid yet',
    codes: ['CERT_NOT_YET_VALID'],
    ...tls("the broker's certificate is not valid yet", 'Set the clock of this machine, or wait.'),
  },
  {
    name: 'wrong name in the certificate',
    codes: ['ERR_TLS_CERT_ALTNAME_INVALID', 'HOSTNAME_MISMATCH'],
    ...tls(
      "the broker's certificate does not carry the name that was dialled",
      'Put that name into the certificate (subjectAltName), or advertise the name that is in it.',
    ),
  },
  {
    name: 'unknown certificate authority',
    codes: [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'CERT_UNTRUSTED',
      'CERT_SIGNATURE_FAILURE',
      'INVALID_CA',
      'INVALID_PURPOSE',
    ],
    ...tls(
      "the broker's certificate is signed by nobody who is trusted here",
      'Set `tls: {ca: …}` to the authority that signed it.',
    ),
  },
  {
    name: 'certificate withdrawn',
    codes: ['CERT_REVOKED', 'CRL_*'],
    ...tls("the broker's certificate was withdrawn", 'Give the broker a new certificate.'),
  },
  {
    name: 'our certificate refused',
    codes: [
      'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
      'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE',
      'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN',
      'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
      'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN',
      'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
      'ERR_SSL_TLSV1_ALERT_ACCESS_DENIED',
      'ERR_SSL_TLS_ALERT_*',
    ],
    ...tls(
      'the broker refuses our certificate, or asks for one',
      'Set `tls: {cert: …, key: …}` to a certificate of an authority that the broker trusts.',
    ),
  },
  {
    name: 'no TLS there',
    codes: ['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'ERR_SSL_HTTP_REQUEST'],
    ...tls(
      'what answers there does not speak TLS',
      'Set `protocol: plaintext` (or `sasl_plaintext`), or name the port of the encrypted listener.',
    ),
  },
  {
    name: 'TLS expected',
    codes: ['PLT_KFK_USER'],
    ...tls(
      'the listener expects an encrypted connection',
      'Set `protocol: ssl` (or `sasl_ssl`), or name the port of a plain listener.',
    ),
  },
  {
    name: 'no common TLS',
    codes: ['ERR_SSL_*', 'ERR_TLS_*', 'ERR_OSSL_*', 'EPROTO'],
    ...tls('the encrypted connection could not be made', 'Compare TLS versions and certificates of both sides.'),
  },
  {
    name: 'login refused',
    codes: ['PLT_KFK_AUTHENTICATION'],
    ...refused('the brokers refused the credentials', 'Check mechanism, user name and password.'),
  },
  {
    name: 'name does not resolve',
    codes: ['ENOTFOUND', 'EAI_*', 'ENODATA', 'ESERVFAIL', 'EREFUSED'],
    ...unreachable(
      'the name of the broker does not resolve',
      'Correct the name, or make it resolvable on this machine (DNS, /etc/hosts).',
    ),
  },
  {
    name: 'connection refused',
    codes: ['ECONNREFUSED'],
    ...unreachable('nothing listens there', 'Start the broker, or correct host and port of `brokers`.'),
  },
  {
    name: 'no way there',
    codes: ['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'EADDRNOTAVAIL', 'EACCES', 'EPERM'],
    ...unreachable(
      'there is no way to the broker',
      'Check the network, the firewall and the routes between this machine and the broker.',
    ),
  },
  {
    name: 'connection lost',
    codes: ['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ERR_STREAM_*', 'ERR_SOCKET_*'],
    ...unreachable('the connection was lost'),
  },
  {
    name: 'no more files or ports',
    codes: ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'],
    ...unreachable('this machine gives no more connections', 'Raise the limit of open files (ulimit -n) or of memory.'),
  },
  {
    name: 'no answer in time',
    codes: ['ETIMEDOUT', 'ETIMEOUT', 'PLT_KFK_TIMEOUT'],
    ...unreachable('no answer in time'),
  },
  {
    name: 'compression not possible',
    codes: ['PLT_KFK_UNSUPPORTED_COMPRESSION'],
    action: 'stop',
    code: 'kafka_unsupported',
    reason: 'the compression cannot be made here',
    remedy: 'Choose gzip, snappy or lz4.',
  },
  {
    name: 'request not offered',
    codes: ['PLT_KFK_UNSUPPORTED_API', 'PLT_KFK_UNSUPPORTED'],
    action: 'stop',
    code: 'kafka_unsupported',
    reason: 'the broker is too old for a request we need',
    remedy: 'Use Apache Kafka 1.0 or newer.',
  },
  {
    name: 'an answer that makes no sense',
    codes: [
      'PLT_KFK_UNEXPECTED_CORRELATION_ID',
      'PLT_KFK_OUT_OF_BOUNDS',
      'PLT_KFK_UNFINISHED_WRITE_BUFFER',
      'PLT_KFK_PROTOCOL',
    ],
    ...unreachable(
      'what answers there makes no sense',
      'Check that a Kafka broker listens there, and nothing changes the bytes on their way.',
    ),
  },
  {
    name: 'any other failure of a connection',
    codes: ['PLT_KFK_NETWORK', '*'],
    ...unreachable('the connection failed'),
  },
];
