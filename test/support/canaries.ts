/** Secrets that no other text holds, and the search for any piece of them in whatever a program leaves behind. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** So many characters of a secret in a row count as found: error texts quote pieces. */
const PIECE = 12;
/** Characters that JSON, URLs, properties files, JAAS and shells each write in a way of their own. */
const ODD = '"\\+/%&= ';

export class Canaries {
  /** By each piece in each form: whose it is. */
  readonly #pieces = new Map<string, string>();
  readonly values = new Map<string, string>();

  /** A new secret. `odd`: with characters that need escapes; else letters and digits. */
  make(name: string, { odd = true }: { readonly odd?: boolean } = {}): string {
    const half = (): string => randomBytes(10).toString('hex');
    return this.note(name, odd ? `${half()}${ODD}${half()}` : half() + half());
  }

  /** A secret that was made elsewhere. `own`: the part of it that nothing else holds. */
  note(name: string, value: string, own = value): string {
    this.values.set(name, value);
    for (const run of own.match(/[A-Za-z0-9]{12,}/g) ?? [])
      for (const form of formsOf(run)) for (const piece of piecesOf(form)) this.#pieces.set(piece, name);
    return value;
  }

  /** A private key of RSA as PEM: its second half, for the first is what its certificate shows to everybody. */
  noteKey(name: string, pem: string): string {
    const lines = pem.split('\n').filter((line) => line !== '' && !line.startsWith('-----'));
    const half = Math.ceil(lines.length / 2);
    this.note(name, pem, lines.slice(half, -1).join('\n'));
    // As it is in files and memory that hold no text.
    const der = Buffer.from(lines.slice(half, half + 2).join(''), 'base64').toString('hex');
    for (const piece of piecesOf(der)) this.#pieces.set(piece, name);
    return pem;
  }

  /** Names of the canaries of which the text holds a piece. */
  findIn(text: string): ReadonlySet<string> {
    const found = new Set<string>();
    for (const [run] of text.matchAll(/[A-Za-z0-9]{12,}/g))
      for (const piece of piecesOf(run)) {
        const name = this.#pieces.get(piece);
        if (name !== undefined) found.add(name);
      }
    return found;
  }
}

/** All that is to be searched, with where it came from. */
export class Outputs {
  readonly #all: { readonly where: string; readonly text: string }[] = [];

  add(where: string, content: string | Buffer): void {
    this.#all.push({ where, text: typeof content === 'string' ? content : content.toString('latin1') });
  }

  /** Every file below the folder. */
  addFolder(folder: string, passOver: (path: string) => boolean = () => false): void {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile() && !passOver(path)) this.add(path, readFileSync(path));
    }
  }

  get places(): readonly string[] {
    return this.#all.map(({ where }) => where);
  }

  includes(text: string): boolean {
    return this.#all.some((one) => one.text.includes(text));
  }

  /** `canary: where: the text around`, empty when no piece of any canary is anywhere. */
  hits(canaries: Canaries): readonly string[] {
    return this.#all.flatMap(({ where, text }) =>
      [...canaries.findIn(text)].map((name) => `${name} in ${where}: ${text.slice(0, 2000)}`),
    );
  }
}

/** As it is, in base64 (and base64url: letters and digits alone look the same) wherever it begins, in hexadecimal. */
function formsOf(run: string): readonly string[] {
  const base64 = [0, 1, 2].map((before) => {
    const text = Buffer.from('x'.repeat(before) + run).toString('base64');
    return text.slice(before === 0 ? 0 : 4, -4);
  });
  const hex = Buffer.from(run).toString('hex');
  return [run, ...base64, hex, hex.toUpperCase()];
}

function* piecesOf(run: string): Iterable<string> {
  for (let at = 0; at + PIECE <= run.length; at++) yield run.slice(at, at + PIECE);
}
