/** `docs/reference/configuration.md` from the JSON Schema of the file: `--write` writes it, `--check` says whether it is what would be written. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { configurationSchema } from '../src/config/index.ts';

const target = join(import.meta.dirname, '..', 'docs', 'reference', 'configuration.md');

interface Schema {
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly type?: string | readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly definitions?: Readonly<Record<string, Schema>>;
}

/** The page as it should be. */
export async function configurationPage(): Promise<string> {
  const { definitions } = configurationSchema() as Schema;
  const sections = (['destination', 'source', 'sync'] as const).map((kind) => {
    const schema = definitions![kind]!;
    return `## ${kind[0]!.toUpperCase()}${kind.slice(1)}s\n\n${schema.description ?? ''}\n\n${tables(schema)}`;
  });
  const page = `<!-- Written by scripts/configuration-docs.ts from the checks of src/config/. -->

# Configuration

One YAML or JSON file with \`destinations\`, \`sources\` and \`syncs\`, each an object of objects by name. \`headrace schema\` prints
the same as JSON Schema. \`\${NAME}\`, \`\${NAME:-default}\` and \`\${file:/path}\` may stand in any text; \`$\${\` is a literal.
Fields that are planned and do not exist yet are refused with "not yet", and are not listed here.

${sections.join('\n\n')}

Directives, templates and columns: [mapping.md](mapping.md). Presets: [presets.md](presets.md). Triggers: [triggers.md](triggers.md).
`;
  return format(page, { ...(await resolveConfig(target)), parser: 'markdown' });
}

function tables(schema: Schema): string {
  const forms = schema.oneOf ?? schema.anyOf ?? [schema];
  return forms
    .filter((form) => form.properties !== undefined)
    .map((form) => `${form === schema ? '' : `### ${form.description ?? 'A form of it'}\n\n`}${table(form)}`)
    .join('\n\n');
}

function table(schema: Schema): string {
  const rows = fieldsOf(schema, '').map(([name, field]) => {
    const standard =
      field.default === undefined || field.default === null ? '' : `\`${JSON.stringify(field.default)}\``;
    return `| \`${name}\` | ${cell(field.description ?? '')} | ${cell(valuesOf(field))} | ${cell(standard)} |`;
  });
  return `| field | what it says | values | when left out |\n| --- | --- | --- | --- |\n${rows.join('\n')}`;
}

/** Nested objects with their path; what is never accepted (not yet) left out. */
function fieldsOf(schema: Schema, prefix: string): [string, Schema][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]): [string, Schema][] => {
    if ((field as unknown) === false || 'not' in field) return [];
    const own: [string, Schema] = [`${prefix}${name}`, field];
    const inner = [field, ...(field.anyOf ?? []), ...(field.oneOf ?? [])].flatMap((form) =>
      fieldsOf(form, `${prefix}${name}.`),
    );
    // Forms share fields: each is told once.
    return [own, ...new Map(inner)];
  });
}

function valuesOf(schema: Schema): string {
  const values = new Set<string>();
  const collect = (one: Schema): void => {
    for (const value of one.enum ?? (one.const === undefined ? [] : [one.const])) values.add(`\`${String(value)}\``);
    for (const form of [...(one.anyOf ?? []), ...(one.oneOf ?? [])]) collect(form);
  };
  collect(schema);
  return [...values].join(', ');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

if (process.argv[1] === import.meta.filename) {
  if (process.argv.includes('--write')) writeFileSync(target, await configurationPage());
  else if (readFileSync(target, 'utf8') !== (await configurationPage())) {
    process.stderr.write(`${target} is out of date: node scripts/configuration-docs.ts --write\n`);
    process.exit(1);
  }
}
