/**
 * `sasl.jaas.config` by a strict grammar: one login module of four that are known, its flag and its options. Nothing of it
 * is ever evaluated, and no other module is (P88).
 */

export type LoginModule = 'plain' | 'scram' | 'oauthbearer' | 'iam';

export interface Jaas {
  readonly module: LoginModule;
  readonly options: ReadonlyMap<string, string>;
}

export interface JaasFlaw {
  /** After "sasl.jaas.config". Holds no part of the text. */
  readonly reason: string;
  readonly remedy: string;
}

const modules: ReadonlyMap<string, LoginModule> = new Map([
  ['org.apache.kafka.common.security.plain.PlainLoginModule', 'plain'],
  ['org.apache.kafka.common.security.scram.ScramLoginModule', 'scram'],
  ['org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule', 'oauthbearer'],
  ['software.amazon.msk.auth.iam.IAMLoginModule', 'iam'],
]);

const FORM = 'The form is: org.apache.kafka.common.security.plain.PlainLoginModule required username="…" password="…";';
const MAX_CHARACTERS = 100_000;
const flags = ['required', 'requisite', 'sufficient', 'optional'];

export function readJaas(text: string): Jaas | JaasFlaw {
  if (text.length > MAX_CHARACTERS) return { reason: 'is too long.', remedy: FORM };
  const tokens = tokensOf(text);
  if (tokens === null) return { reason: 'has a quote that is not closed.', remedy: FORM };
  // The semicolon at the end is often lost on the way.
  if (tokens.at(-1)?.kind === 'end') tokens.pop();
  if (tokens.some(({ kind }) => kind === 'end')) {
    return { reason: 'has more than one login module, or a `;` without quotes in a value.', remedy: FORM };
  }
  const [name, flag, ...rest] = tokens;
  if (name === undefined || name.kind !== 'word') return { reason: 'names no login module.', remedy: FORM };
  const module = modules.get(name.text);
  if (module === undefined) return unknownModule(name.text);
  if (flag?.kind !== 'word' || !flags.includes(flag.text.toLowerCase())) {
    return { reason: 'has no `required` after the login module.', remedy: FORM };
  }
  const options = readOptions(rest);
  return options instanceof Map ? { module, options } : options;
}

type Token = { readonly kind: 'word' | 'quoted'; readonly text: string } | { readonly kind: 'equals' | 'end' };

function readOptions(tokens: readonly Token[]): Map<string, string> | JaasFlaw {
  const options = new Map<string, string>();
  for (let at = 0; at < tokens.length; at += 3) {
    const [name, equals, value] = [tokens[at]!, tokens[at + 1], tokens[at + 2]];
    if (!hasText(name) || equals?.kind !== 'equals' || value === undefined || !hasText(value)) {
      return { reason: 'has an option that is no name="value".', remedy: FORM };
    }
    if (options.has(name.text)) return { reason: 'has an option twice.', remedy: 'Keep one of the two.' };
    options.set(name.text, value.text);
  }
  return options;
}

function hasText(token: Token): token is Token & { kind: 'word' | 'quoted' } {
  return token.kind === 'word' || token.kind === 'quoted';
}

function unknownModule(name: string): JaasFlaw {
  if (name.endsWith('.Krb5LoginModule')) {
    return { reason: 'asks for Kerberos, which is not supported.', remedy: 'Use SCRAM-SHA-512, OAUTHBEARER or PLAIN.' };
  }
  return {
    reason: 'names a login module that is not taken.',
    remedy:
      'PlainLoginModule, ScramLoginModule and OAuthBearerLoginModule of Kafka and IAMLoginModule of Amazon MSK are.',
  };
}

/** Null: a quote is open at the end of a line or of the text. */
function tokensOf(text: string): Token[] | null {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length;) {
    const character = text[at]!;
    if (/\s/.test(character)) at++;
    else if (character === '=' || character === ';') {
      tokens.push({ kind: character === '=' ? 'equals' : 'end' });
      at++;
    } else if (character === '"' || character === "'") {
      const end = endOfQuote(text, at);
      if (end === null) return null;
      tokens.push({ kind: 'quoted', text: unescaped(text.slice(at + 1, end)) });
      at = end + 1;
    } else {
      let end = at;
      while (end < text.length && !/[\s=;"']/.test(text[end]!)) end++;
      tokens.push({ kind: 'word', text: text.slice(at, end) });
      at = end;
    }
  }
  return tokens;
}

function endOfQuote(text: string, start: number): number | null {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '\n' || text[at] === '\r') return null;
    else if (text[at] === text[start]) return at;
  }
  return null;
}

/** As Java's tokenizer. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-3]?[0-7]{1,2}|[^])/g, (_, escape: string) => {
    if (/^[0-7]/.test(escape)) return String.fromCharCode(Number.parseInt(escape, 8));
    return { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', a: '\u0007', v: '\v' }[escape] ?? escape;
  });
}
