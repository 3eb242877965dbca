/** The doctor in tests: its report in time, its one failed step, servers that are no brokers, and permissions. */
import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createAclsV3 } from '@platformatic/kafka';
import { systemClock } from '../../src/base/clock.ts';
import type { CheckOptions } from '../../src/kafka/doctor/check.ts';
import type { DestinationReport, StepName } from '../../src/kafka/doctor/report.ts';
import { checkDestination } from '../../src/kafka/index.ts';
import { BrokerConnection, type ApiModule } from '../../src/kafka/wire/connection.ts';
import type { DestinationConfig } from '../../src/model/index.ts';

/** The report, and that it came in time. In this process unless told: on a busy machine a new one takes seconds to start. */
export async function examined(
  destination: DestinationConfig,
  options: CheckOptions = { inProcess: true },
): Promise<DestinationReport> {
  const startedMs = performance.now();
  const report = await checkDestination(destination, systemClock, options);
  assert.ok(performance.now() - startedMs < 10_000, 'it took ten seconds or longer');
  return report;
}

/** The one failed step; everything after it must be skipped. */
export function failedStep(report: DestinationReport): { step: StepName; cause: string; remedy: string } {
  assert.equal(report.ok, false, JSON.stringify(report.steps));
  const at = report.steps.findIndex((step) => step.state === 'failed');
  const { step, cause, remedy, link } = report.steps[at]!;
  assert.ok(cause !== null && remedy !== null && cause !== '' && remedy !== '', 'cause and remedy are told');
  assert.equal(link, `docs/guides/connection-doctor.md#${step}`);
  assert.ok(
    report.steps.slice(at + 1).every(({ state }) => state === 'skipped'),
    JSON.stringify(report.steps),
  );
  return { step, cause, remedy };
}

/** A server on a free port whose connections are handed to `talk`. */
export async function stranger(t: { after(end: () => void): void }, talk: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    talk(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The answer to ApiVersions version 0, with the newest version of each API given. */
export function versionsAnswer(
  request: Buffer,
  newest: Readonly<Record<number, number>> = { 0: 11, 1: 17, 3: 12, 18: 3, 22: 4 },
): Buffer {
  const apis = Object.entries(newest);
  const answer = Buffer.alloc(14 + apis.length * 6);
  answer.writeInt32BE(answer.length - 4, 0);
  request.copy(answer, 4, 8, 12);
  answer.writeInt32BE(apis.length, 10);
  for (const [index, [key, max]] of apis.entries()) {
    answer.writeInt16BE(Number(key), 14 + index * 6);
    answer.writeInt16BE(max, 18 + index * 6);
  }
  return answer;
}

/**
 * A broker of a cluster in name alone: it says which versions it has, that it takes no login, and who the others are.
 * `brokers`: the ports of brokers 1, 2, 3 …; asked when it is.
 */
export function namesBrokers(brokers: () => readonly number[]): (socket: Socket) => void {
  const body = (request: Buffer): Buffer => {
    const [key, version] = [request.readInt16BE(4), request.readInt16BE(6)];
    if (key === SASL_HANDSHAKE) return Buffer.from([0, ILLEGAL_SASL_STATE, 0, 0, 0, 0]);
    if (key === METADATA) return metadata(brokers());
    if (version > 1) return Buffer.from([0, UNSUPPORTED_VERSION, 0, 0, 0, 0]);
    const versions = versionsAnswer(request, { 0: 11, 1: 17, 3: 1, 18: 1, 22: 4 }).subarray(8);
    return version === 0 ? versions : Buffer.concat([versions, Buffer.alloc(4)]);
  };
  return (socket) =>
    socket.on('data', (request: Buffer) => {
      const answer = body(request);
      const head = Buffer.alloc(8);
      head.writeInt32BE(answer.length + 4);
      request.copy(head, 4, 8, 12);
      socket.write(Buffer.concat([head, answer]));
    });
}

const METADATA = 3;
const SASL_HANDSHAKE = 17;
const ILLEGAL_SASL_STATE = 34;
const UNSUPPORTED_VERSION = 35;

/** Version 1, without topics. */
function metadata(ports: readonly number[]): Buffer {
  const int32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return bytes;
  };
  const host = Buffer.concat([Buffer.from([0, 9]), Buffer.from('127.0.0.1')]);
  const noRack = Buffer.from([0xff, 0xff]);
  const entries = ports.map((port, index) => Buffer.concat([int32(index + 1), host, int32(port), noRack]));
  return Buffer.concat([int32(ports.length), ...entries, int32(1), int32(0)]);
}

const operations = { write: 4, create: 5, describe: 8, idempotentWrite: 12 } as const;
const TOPIC = 2;
const LITERAL = 3;
const ALLOW = 3;

/** Allows a user operations on topics, asked at a listener of a super user. Resolves when the broker that answers knows. */
export async function allow(
  bootstrap: string,
  grants: readonly (readonly [user: string, operation: keyof typeof operations, topic: string])[],
): Promise<void> {
  const [host, port] = bootstrap.split(':') as [string, string];
  const connection = await BrokerConnection.open(
    { host, port: Number(port) },
    {
      clientId: 'test',
      connectTimeoutMs: 20_000,
      requestTimeoutMs: 20_000,
      security: { forBroker: () => Promise.resolve({}) },
    },
  );
  const acls = grants.map(([user, operation, resourceName]) => ({
    resourceType: TOPIC,
    resourceName,
    resourcePatternType: LITERAL,
    principal: `User:${user}`,
    host: '*',
    operation: operations[operation],
    permissionType: ALLOW,
  }));
  await connection.call([createAclsV3] as unknown as ApiModule<[object[]], unknown>[], acls);
  await connection.close();
}

/** A port on loopback where nothing listens. */
export async function deafPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
