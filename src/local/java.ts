/** How Java is called: command, jars and flags. */
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { LocalKafkaError } from './errors.ts';

export const KAFKA_VERSION = '4.3.1';

export interface JavaOptions {
  /** `java`, or a path to it. */
  readonly command: string;
  /** Folder of one Kafka version's jars. */
  readonly jars: string;
}

/** Where set-up puts a version's jars in this checkout. */
export function defaultJars(version: string = KAFKA_VERSION): string {
  return join(import.meta.dirname, '..', '..', '.cache', 'kafka', version);
}

/** All jars of the folder, in an order that is always the same (a shared class archive depends on it). */
export function classPath(jars: string): string {
  const names = existsSync(jars) ? readdirSync(jars).filter((name) => name.endsWith('.jar')) : [];
  if (names.length === 0)
    throw new LocalKafkaError('jars_missing', `Kafka's jars are not in ${jars}.`, 'Run npm run setup in the checkout.');
  return names
    .sort()
    .map((name) => join(jars, name))
    .join(delimiter);
}

/** Kafka's classes as an earlier run had loaded them; halves the time a broker takes to start. */
export function classArchive(jars: string): string {
  return join(jars, 'classes.jsa');
}

/** Java by itself leaves an archive alone that another Java or other jars made. */
export function classArchiveFlags(jars: string): string[] {
  const archive = classArchive(jars);
  return existsSync(archive)
    ? ['-Xshare:auto', `-XX:SharedArchiveFile=${archive}`, '-Xlog:cds=off', '-Xlog:cds+dynamic=off']
    : [];
}

/**
 * Starts fast and stays small: the C1 compiler only (half the processor time until a broker is ready), and the
 * collector that needs no threads of its own.
 */
export const fastStartFlags: readonly string[] = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];
