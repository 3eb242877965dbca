/** `template`: the value as a Mustache template has it, JSON or any text. */
import { beginBytes, takeBytes, writeText } from '../../base/json-writer.ts';
import type { Problem } from '../../model/index.ts';
import type { Evaluate } from '../expression.ts';
import { shown } from '../refusal.ts';
import { syncedAtOf } from '../synced-at.ts';
import { compileJson } from '../templates/mustache-json.ts';
import { compileText, Fault, parseMustache, placeIn, type ExtraNames } from '../templates/mustache.ts';

export type TemplateType = 'json' | 'text';
export const templateTypes: readonly TemplateType[] = ['json', 'text'];

export function checkTemplateText(value: unknown, type: unknown, at: string): Problem[] {
  const remedy = 'write it like {"id": {{id}}, "name": "{{name}}"}';
  if (typeof value !== 'string' || value.trim() === '')
    return [{ path: at, reason: `${shown(value)} is no template text`, remedy }];
  const nodes = parseMustache(value);
  const fault = 'reason' in nodes ? nodes : type === 'text' ? null : jsonFault(nodes);
  if (fault === null) return [];
  const ending =
    type === 'text' || 'reason' in nodes ? remedy : `${remedy}; with template_type: text any text is allowed`;
  return [{ path: at, reason: `the template, ${placeIn(value, fault.at)}: ${fault.reason}`, remedy: ending }];
}

/** Gives the bytes of the value; never throws for the template's own shape. */
export function compileTemplate(
  template: string,
  type: TemplateType,
  kind: 'rows' | 'events',
): (...input: Parameters<Evaluate>) => Buffer {
  const parsed = parseMustache(template);
  const nodes = 'reason' in parsed ? [] : parsed;
  const extra = kind === 'rows' ? rowNames : noNames;
  if (type === 'text') {
    const render = compileText(nodes, extra);
    return (root, record, context) => {
      const text = render({ root, record, context });
      beginBytes();
      writeText(text);
      return takeBytes();
    };
  }
  const write = compileJson(nodes, extra);
  return (root, record, context) => {
    beginBytes();
    write({ root, record, context });
    return takeBytes();
  };
}

/** A row's template can read what the added fields hold, unless a column has the name. */
const rowNames: ExtraNames = new Map([
  ['operation', (record) => record.operation],
  ['synced_at', (record, context) => syncedAtOf(record, context)],
]) as ExtraNames;

const noNames: ExtraNames = new Map();

function jsonFault(nodes: Parameters<typeof compileJson>[0]): { reason: string; at: number } | null {
  try {
    compileJson(nodes, noNames);
    return null;
  } catch (error) {
    if (error instanceof Fault) return { reason: error.message, at: error.at };
    throw error;
  }
}
