/** A folder with a configuration file for the real program, removed when the test is over. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export interface Setup {
  readonly folder: string;
  readonly data: string;
  readonly config: string;
}

/** `configuration` is written as JSON, which is YAML too. Files are relative to the folder. */
export function setUp(t: TestContext, configuration: object, files: Readonly<Record<string, string>> = {}): Setup {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const data = join(folder, 'data');
  mkdirSync(data, { mode: 0o700 });
  const config = join(folder, 'headrace.yaml');
  writeFileSync(config, JSON.stringify(configuration, null, 2));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return { folder, data, config };
}
