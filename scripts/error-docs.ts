/** `docs/reference/errors.md` from the registry of codes: `--write` writes it, `--check` says whether it is what would be written. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { errorCodes, type ErrorFacts } from '../src/model/index.ts';
import { problemOf } from '../src/api/contract/problem.ts';
import { HeadraceError, type ErrorCode } from '../src/model/errors.ts';

const target = join(import.meta.dirname, '..', 'docs', 'reference', 'errors.md');
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

async function formatted(page: string): Promise<string> {
  return format(page, { ...(await resolveConfig(target)), parser: 'markdown' });
}

if (process.argv[1] === import.meta.filename) {
  if (process.argv.includes('--write')) writeFileSync(target, await errorPage());
  else if (readFileSync(target, 'utf8') !== (await errorPage())) {
    process.stderr.write(`${target} is out of date: node scripts/error-docs.ts --write\n`);
    process.exit(1);
  }
}
