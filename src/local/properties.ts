/** The files a broker is started with: server.properties and log4j2.properties. */
import { LOOPBACK } from './ports.ts';

/** A further listener beside the plain one on loopback: this is where TLS and SASL are set up. */
export interface ListenerOptions {
  /** Letters and digits, e.g. `SECURE`. */
  readonly name: string;
  readonly protocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
  /** Host name told to clients; 127.0.0.1 unless given. */
  readonly advertisedHost?: string;
  /** Kafka's own names, e.g. `ssl.keystore.location`; each gets this listener's prefix. */
  readonly properties?: Readonly<Record<string, string>>;
}

export interface NodePorts {
  readonly id: number;
  /** The plain listener: for clients, and for the brokers among themselves. */
  readonly port: number;
  readonly controllerPort: number;
  /** By name of the further listener. */
  readonly listenerPorts: Readonly<Record<string, number>>;
}

/** Everything in the file is relative to the node's own folder, where the broker runs. */
export function serverProperties(
  node: NodePorts,
  all: readonly NodePorts[],
  listeners: readonly ListenerOptions[],
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  const further = listeners.map((listener) => ({ ...listener, port: node.listenerPorts[listener.name] ?? 0 }));
  const replicas = String(all.length);
  const properties: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': String(node.id),
    'controller.quorum.voters': all.map(({ id, controllerPort }) => `${id}@${LOOPBACK}:${controllerPort}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    listeners: [
      `PLAINTEXT://${LOOPBACK}:${node.port}`,
      `CONTROLLER://${LOOPBACK}:${node.controllerPort}`,
      ...further.map(({ name, port }) => `${name}://${LOOPBACK}:${port}`),
    ].join(','),
    'advertised.listeners': [
      `PLAINTEXT://${LOOPBACK}:${node.port}`,
      ...further.map(({ name, advertisedHost, port }) => `${name}://${advertisedHost ?? LOOPBACK}:${port}`),
    ].join(','),
    'listener.security.protocol.map': [
      'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      ...further.map(({ name, protocol }) => `${name}:${protocol}`),
    ].join(','),
    'log.dirs': 'data',
    ...smallCluster(replicas, all.length > 1 ? '2' : '1'),
  };
  for (const { name, properties: listenerProperties } of listeners)
    for (const [key, value] of Object.entries(listenerProperties ?? {}))
      properties[`listener.name.${name.toLowerCase()}.${key}`] = value;
  return { ...properties, ...own };
}

function smallCluster(replicas: string, minimumInSync: string): Record<string, string> {
  return {
    'auto.create.topics.enable': 'false',
    'num.partitions': '1',
    'default.replication.factor': replicas,
    'min.insync.replicas': minimumInSync,
    'log.retention.ms': '-1',
    'log.retention.bytes': '-1',
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': minimumInSync,
    'transaction.state.log.num.partitions': '1',
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': minimumInSync,
    'share.coordinator.state.topic.num.partitions': '1',
    'group.initial.rebalance.delay.ms': '0',
    // A broker killed and started again is let in only when its former session has ended.
    'broker.session.timeout.ms': '2000',
    'broker.heartbeat.interval.ms': '300',
    // 128 MB unless told otherwise, taken at start.
    'log.cleaner.dedupe.buffer.size': '16777216',
  };
}

/** A Java properties file: Latin-1, so everything else is escaped. */
export function propertiesText(properties: Readonly<Record<string, string>>): string {
  const escape = (text: string): string =>
    text
      .replaceAll('\\', '\\\\')
      .replaceAll('\n', '\\n')
      .replaceAll(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${escape(value)}\n`)
    .join('');
}

/** Everything to `kafka.log` in the folder where the broker runs, at most two files of 10 MB. */
export const logProperties = `status=off
rootLogger.level=info
rootLogger.appenderRef.file.ref=file
appender.file.type=RollingFile
appender.file.name=file
appender.file.fileName=kafka.log
appender.file.filePattern=kafka.log.1
appender.file.layout.type=PatternLayout
appender.file.layout.pattern=%d{ISO8601} %p %m (%c)%n%throwable
appender.file.policies.type=Policies
appender.file.policies.size.type=SizeBasedTriggeringPolicy
appender.file.policies.size.size=10MB
appender.file.strategy.type=DefaultRolloverStrategy
appender.file.strategy.max=1
`;
