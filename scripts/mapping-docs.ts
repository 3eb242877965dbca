/** Writes the directives into docs/reference/mapping.md: `node scripts/mapping-docs.ts`; `--check` only compares. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { directives } from '../src/mapping/index.ts';

const path = join(import.meta.dirname, '../docs/reference/mapping.md');
const begin = '<!-- directives: made by scripts/mapping-docs.ts -->';
const end = '<!-- end of directives -->';

/** The page as it should be. */
export async function mappingPage(page: string): Promise<string> {
  const [before, after] = [page.slice(0, page.indexOf(begin)), page.slice(page.indexOf(end) + end.length)];
  const sections = [...directives.values()].map(({ name, summary, docs, example }) =>
    [
      `### \`${name}\``,
      summary,
      docs,
      '```text',
      `mapping: ${JSON.stringify(example.mapping)}`,
      `record:  ${JSON.stringify(example.record)}`,
      `result:  ${JSON.stringify(example.result)}`,
      '```',
    ].join('\n\n'),
  );
  const body = sections.join('\n\n').replaceAll('\n\nmapping:', '\nmapping:').replaceAll('\n\nrecord:', '\nrecord:');
  const whole = `${before}${begin}\n\n${body.replaceAll('\n\nresult:', '\nresult:').replaceAll('\n\n```\n', '\n```\n')}\n\n${end}${after}`;
  return format(whole, { ...(await resolveConfig(path)), parser: 'markdown' });
}

if (process.argv[1] === import.meta.filename) {
  const page = readFileSync(path, 'utf8');
  const made = await mappingPage(page);
  if (made === page) process.exit(0);
  if (process.argv.includes('--check')) {
    console.error('docs/reference/mapping.md is not up to date: run node scripts/mapping-docs.ts');
    process.exit(1);
  }
  writeFileSync(path, made);
}
