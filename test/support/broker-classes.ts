/** Classes of our own beside Kafka's: what an operator would put onto a broker's class path. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { classPath, defaultJars } from '../../src/local/java.ts';

/** A folder of jars for `ownKafka`: Kafka's, and the class of `test/support/java/<name>.java`. Removed when the file's tests are over. */
export function jarsWith(name: string): string {
  const jars = mkdtempSync(join(tmpdir(), 'headrace-jars-'));
  after(() => rmSync(jars, { recursive: true, force: true }));
  // Java takes a folder that is named like a jar for one.
  const classes = join(jars, `${name.toLowerCase()}.jar`);
  mkdirSync(classes);
  const plain = defaultJars();
  for (const jar of readdirSync(plain).filter((one) => one.endsWith('.jar')))
    symlinkSync(join(plain, jar), join(jars, jar));
  const root = join(import.meta.dirname, '..', '..');
  const compiler = join(root, '.cache', 'ecj', '3.33.0', 'ecj-3.33.0.jar');
  const source = join(import.meta.dirname, 'java', `${name}.java`);
  const args = ['-jar', compiler, '-17', '-nowarn', '-cp', classPath(plain), '-d', classes, source];
  const { status, stdout, stderr } = spawnSync('java', args, { encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
  return jars;
}
