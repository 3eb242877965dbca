/** The plain page at `/`: addresses and what is running. No script, nothing from elsewhere. */
import { createHash } from 'node:crypto';
import type { StatusAnswer } from './contract/service.ts';

const style = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin-bottom: 1.5rem; }
th, td { text-align: left; padding: 0.25rem 0.75rem 0.25rem 0; border-bottom: 1px solid #ccc; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
`;
const styleHash = createHash('sha256').update(style).digest('base64');

/** Nothing but this one style sheet. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${styleHash}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** `status` null: for a stranger, who sees that it runs and no more. */
export function renderPage(address: string, status: StatusAnswer | null): string {
  const title = status === null ? 'Headrace' : `Headrace ${status.version}`;
  const facts = status === null ? '' : renderStatus(status);
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${style}</style></head>
<body>
<h1>${escape(title)}</h1>
<p>It is running.</p>
<ul>
<li>Events: <code>POST ${escape(address)}/v1/track</code> (also identify, page, screen, group, alias, batch)</li>
<li>Health: <a href="/healthz">/healthz</a>, <a href="/readyz?verbose">/readyz?verbose</a></li>
<li>Metrics: <a href="/metrics">/metrics</a></li>
<li>API: <code>/api/…</code> with the token; described in <code>/api/openapi.json</code></li>
</ul>
${facts}
</body></html>
`;
}

function renderStatus({ startedAt, destinations, sources, syncs }: StatusAnswer): string {
  return [
    `<p>Since <time>${escape(startedAt)}</time>.</p>`,
    table(
      'Syncs',
      ['name', 'kind', 'on', 'read', 'delivered', 'rejected', 'filtered', 'waits because'],
      syncs.map(({ name, kind, enabled, counts, held }) => [
        name,
        kind,
        enabled ? 'yes' : 'no',
        counts.read,
        counts.delivered,
        counts.rejected,
        counts.filtered,
        held ?? '',
      ]),
    ),
    table(
      'Destinations',
      ['name', 'on', 'messages under way', 'bytes under way', 'messages on disk', 'waits because'],
      destinations.map((one) => [
        one.name,
        one.enabled ? 'yes' : 'no',
        one.pendingMessages,
        one.pendingBytes,
        one.spool?.messages ?? 0,
        one.spool?.problem ?? one.held ?? '',
      ]),
    ),
    table(
      'Sources',
      ['name', 'type', 'on'],
      sources.map(({ name, type, enabled }) => [name, type, enabled ? 'yes' : 'no']),
    ),
  ].join('\n');
}

function table(caption: string, heads: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  if (rows.length === 0) return `<h2>${escape(caption)}</h2><p>None.</p>`;
  const kind = (cell: string | number | undefined): string => (typeof cell === 'number' ? ' class="number"' : '');
  const head = heads.map((name, index) => `<th${kind(rows[0]?.[index])}>${escape(name)}</th>`).join('');
  const body = rows.map((row) => {
    const cells = row.map((cell) => `<td${kind(cell)}>${escape(String(cell))}</td>`);
    return `<tr>${cells.join('')}</tr>`;
  });
  return `<h2>${escape(caption)}</h2><table><tr>${head}</tr>${body.join('')}</table>`;
}

function escape(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}
