/**
 * `docs/reference/errors.md` from the registry of codes, `kafka-errors.md` from the tables of Kafka's and the client's errors:
 * `--write` writes them, `--check` says whether they are what would be written.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { errorCodes, type ErrorFacts } from '../src/model/index.ts';
import { problemOf } from '../src/api/contract/problem.ts';
import { clientErrors } from '../src/kafka/client-errors.ts';
import { kafkaErrors, unknownError, type Action, type ErrorRow } from '../src/kafka/error-table.ts';
import { HeadraceError, type ErrorCode } from '../src/model/errors.ts';

const folder = join(import.meta.dirname, '..', 'docs', 'reference');
const actors: Readonly<Record<ErrorFacts['actor'], string>> = {
  user: 'who writes the configuration or the data',
  operator: 'who runs the systems',
  nobody: 'nobody: it passes by itself',
};

/** The page as it should be. */
export function errorPage(): Promise<string> {
  const rows = (Object.entries(errorCodes) as [ErrorCode, ErrorFacts][]).map(([code, { meaning, actor, retry }]) => {
    const { status } = problemOf(new HeadraceError(code, ''));
    return `| \`${code}\` | ${meaning} | ${actors[actor]} | ${retry ? 'yes' : 'no'} | ${status} |`;
  });
  return formatted(`<!-- Written by scripts/error-docs.ts from src/model/errors.ts. -->

# Error codes

Every error has one of these codes: in the answers of the collector and of the API, in dead letters, in the end of a run, in log
lines. Beside it stand what happened, the field at fault where there is one, and what to do.

| code | meaning | who must act | can trying again help | status in the API |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`);
}

const actions: Readonly<Record<Action, string>> = {
  retry: 'the same batch is sent again',
  park: "this sync's messages for this topic wait (a run fails, the collector answers 429), and it is tried again every second",
  reject: 'the message becomes a dead letter, the others go on in their order',
  stop: 'every sync of the destination waits (a run fails, the collector answers 429), and it is tried again every 10 to 15 s',
};

/** The page of what brokers and connections answer. */
export function kafkaErrorPage(): Promise<string> {
  const rows = [...kafkaErrors].map(([number, row]) => `| ${number} | \`${row.name}\` ${cells(row)}`);
  const clients = clientErrors.map((row) => {
    const codes = row.codes.filter((code) => code !== '*').map((code) => `\`${code}\``);
    return `| ${row.name} | ${codes.join(', ')} ${cells(row)}`;
  });
  return formatted(`<!-- Written by scripts/error-docs.ts from src/kafka/error-table.ts and src/kafka/client-errors.ts. -->

# What Kafka answers, and what follows

Every error that a broker can answer and every way in which a connection can fail belongs to one of four classes:

| class | what follows |
| --- | --- |
${Object.entries(actions)
  .map(([action, text]) => `| ${action} | ${text} |`)
  .join('\n')}

Nothing turns into a rejection by the passing of time, nothing needs a restart once the cause is gone, and a sync that waits
holds up no sync with another topic or another destination. Two things depend on the sync: a topic whose name is computed from
the record and is missing or refused rejects the message, and \`CORRUPT_MESSAGE\` three times in a row rejects the messages of the
batch that have no key.

The code is the one of [error codes](errors.md).

## Kafka's error codes

| number | Kafka's name | class | code | what happened | what to do |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
| any other | ${cells(unknownError)}

## Failures of connections

| what | by the codes | class | code | what happened | what to do |
| --- | --- | --- | --- | --- | --- |
${clients.join('\n')}
`);
}

function cells({ action, code, reason, remedy }: ErrorRow): string {
  return `| ${action} | \`${code}\` | ${reason} | ${remedy} |`;
}

async function formatted(page: string): Promise<string> {
  return format(page, { ...(await resolveConfig(folder)), parser: 'markdown' });
}

if (process.argv[1] === import.meta.filename) {
  for (const [name, page] of [
    ['errors.md', await errorPage()],
    ['kafka-errors.md', await kafkaErrorPage()],
  ] as const) {
    const target = join(folder, name);
    if (process.argv.includes('--write')) writeFileSync(target, page);
    else if (readFileSync(target, 'utf8') !== page) {
      process.stderr.write(`${target} is out of date: node scripts/error-docs.ts --write\n`);
      process.exitCode = 1;
    }
  }
}
