/** Ways to write broker addresses, and what is none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokers, hostName } from './brokers.ts';
import { At, Report } from './report.ts';

function read(value: unknown): { text: string | undefined; problems: number } {
  const report = new Report();
  const addresses = brokers.read(value, new At(report, 'brokers'));
  return { text: addresses?.map(({ host, port }) => `${host} ${port}`).join(', '), problems: report.problems.length };
}

test('reads every way to write broker addresses', () => {
  const cases: [unknown, string][] = [
    ['localhost', 'localhost 9092'],
    ['localhost:9093', 'localhost 9093'],
    [' a:1 , b ,c:65535', 'a 1, b 9092, c 65535'],
    [['a', 'b:2,c:3'], 'a 9092, b 2, c 3'],
    ['[::1]:9092', '::1 9092'],
    ['[::1]', '::1 9092'],
    ['[fe80::1%eth0]:1', 'fe80::1%eth0 1'],
    ['127.0.0.1:9092', '127.0.0.1 9092'],
    ['kafka_1.my-cluster.example.com.:9092', 'kafka_1.my-cluster.example.com. 9092'],
    ['a,a:9092,a', 'a 9092'],
  ];
  for (const [value, expected] of cases) assert.deepEqual(read(value), { text: expected, problems: 0 });
});

test('refuses what is no address', () => {
  for (const value of [
    '',
    ',',
    'a:',
    'a:b',
    'a:0',
    'a:65536',
    'a b',
    '::1',
    '[::1',
    'PLAINTEXT://a:1',
    '-a',
    5,
    null,
    {},
  ]) {
    assert.deepEqual(read(value), { text: undefined, problems: value === ',' ? 2 : 1 }, JSON.stringify(value));
  }
  assert.deepEqual(read(['a', 5, 'b:x']).problems, 2);
});

test('asks for brackets where an IPv6 address may be meant, and nowhere else', () => {
  const remedy = (text: string): string => {
    const report = new Report();
    brokers.read(text, new At(report, 'brokers'));
    return report.problems[0]!.remedy;
  };
  assert.match(remedy('::1'), /brackets/);
  assert.match(remedy('fe80::1%eth0'), /brackets/);
  assert.match(remedy('a:9092:junk'), /^For example/);
});

test('knows a host that is written alone', () => {
  assert.deepEqual(['a.b', '::1', '[::1]', '10.0.0.1'].map(hostName), ['a.b', '::1', '::1', '10.0.0.1']);
  assert.deepEqual(['', 'a:1', 'a b', '[::1]:5', 'http://a'].map(hostName), [null, null, null, null, null]);
});

test('quotes what is no address only where no login can be in it', () => {
  const reasons = (text: string): string => {
    const report = new Report();
    brokers.read(text, new At(report, 'brokers'));
    return report.problems.map(({ reason }) => reason).join('\n');
  };
  assert.match(reasons('kafka:9x'), /"kafka:9x"/);
  assert.match(reasons('a:1 b:2'), /"a:1" and more/);
  for (const text of [
    'a:1 sasl.jaas.config=org.apache.Plain required username="u" password="SECRET";',
    'a:1 sasl.jaas.config=org.apache.Plain required username="u" password="x,SECRET,y";',
    'a:1 sasl.password: SECRET',
    'user:SECRET@a:1',
    'kafka://user:SECRET@a:1',
    "b,s='SECRET'",
  ]) {
    assert.doesNotMatch(reasons(text), /SECRET/, text);
    assert.ok(reasons(text).length > 10, text);
  }
});
