/** Starts Kafka once and stops it: leaves its formatted template and an archive of its loaded classes beside the jars. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { classArchive, defaultJars, fastStartFlags } from '../../src/local/java.ts';
import { startKafka } from '../../src/local/kafka.ts';

const jars = defaultJars();
const folder = mkdtempSync(join(tmpdir(), 'headrace-prepare-'));
const archive = `${classArchive(jars)}.${process.pid}`;
try {
  rmSync(classArchive(jars), { force: true });
  rmSync(join(jars, 'prepared'), { force: true });
  const kafka = await startKafka({ folder, jvm: [...fastStartFlags, `-XX:ArchiveClassesAtExit=${archive}`] });
  await kafka.nodes[0]?.stop(60_000);
  await kafka.stop();
  renameSync(archive, classArchive(jars));
  writeFileSync(join(jars, 'prepared'), process.argv[2] ?? '');
} catch (error) {
  console.error(String(error));
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
  rmSync(archive, { force: true });
}
