/** How a command finds the server of a data folder. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { inspect } from 'node:util';
import { Secret } from '../base/secret.ts';
import { readServerFile, removeServerFile, writeServerFile } from './server-file.ts';

const root = mkdtempSync(join(tmpdir(), 'headrace-server-'));
after(() => rmSync(root, { recursive: true }));
const address = 'http://127.0.0.1:8080';

test('a command finds the server that wrote the file, and its token is not shown', () => {
  const dataFolder = join(root, 'a');
  assert.equal(readServerFile(dataFolder), null);
  writeServerFile(dataFolder, { pid: process.pid, address, token: new Secret('canary') });
  assert.equal(statSync(join(dataFolder, 'server.json')).mode & 0o777, 0o600);
  const found = readServerFile(dataFolder)!;
  assert.deepEqual([found.pid, found.address, found.token.reveal()], [process.pid, address, 'canary']);
  assert.doesNotMatch(inspect(found) + JSON.stringify(found), /canary/);
  removeServerFile(dataFolder);
  assert.equal(readServerFile(dataFolder), null);
});

test('a file of a process that is gone, or a broken one, is no server', () => {
  const file = join(root, 'server.json');
  for (const text of [`{"pid": 999999999, "address": "${address}", "token": "t"}`, '{"pid": 1}', 'broken', '']) {
    writeFileSync(file, text);
    assert.equal(readServerFile(root), null, text);
  }
});

test("removing leaves another process's file", () => {
  const dataFolder = join(root, 'b');
  writeServerFile(dataFolder, { pid: process.ppid, address, token: new Secret('t') });
  removeServerFile(dataFolder);
  assert.equal(existsSync(join(dataFolder, 'server.json')), true);
});
