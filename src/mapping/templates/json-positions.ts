/** Where in a JSON text a template's places stand: checked at save, so that every record gives valid JSON. */
import { Fault, type Name, type Node } from './mustache.ts';

/** What is done to print the template, in order. Commas follow from the structure: none is missing, none too much. */
export type Op =
  /** Bytes as they are. */
  | { readonly op: 'raw'; readonly json: string }
  /** A comma, unless the element is the first of its list or object. */
  | { readonly op: 'comma' }
  /** A value outside quotes, as JSON; null where there is none. */
  | { readonly op: 'value'; readonly name: Name }
  /** A value inside quotes: its text, escaped. */
  | { readonly op: 'text'; readonly name: Name }
  /** Members, items or text, as often as the list has items. */
  | { readonly op: 'repeat'; readonly name: Name; readonly inverted: boolean; readonly body: readonly Op[] }
  /** Exactly one value: `shown` where the section is shown (for a list: of its first item), else `hidden`. */
  | { readonly op: 'choose'; readonly name: Name; readonly shown: readonly Op[]; readonly hidden: readonly Op[] };

/** The operations; throws Fault at the first place where the result might not be JSON. */
export function jsonOps(nodes: readonly Node[]): readonly Op[] {
  const printer = new Printer();
  printer.nodes(nodes);
  if (printer.quoted !== null) throw new Fault('a quote is not closed', printer.quoted);
  if (printer.open.length > 0) throw new Fault(`a "${printer.open.at(-1)!.closer}" is missing at the end`, printer.end);
  if (printer.mode !== 'after') throw new Fault('the template has no value', 0);
  return printer.ops;
}

/** `value`: one must come; `element`: the next item or member, or the end; `colon`: after a key; `after`: after a value. */
type Mode = 'value' | 'element' | 'colon' | 'after';

interface Container {
  readonly closer: '}' | ']';
  /** Whether an element may be before the next one: no: none, yes: one, maybe: only the record tells. */
  filled: 'no' | 'yes' | 'maybe';
}

const word = /[A-Za-z0-9+.-]+/y;
const jsonScalar = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;
// oxlint-disable-next-line no-control-regex -- control characters are what JSON text may not hold
const plainText = /[^"\\\u0000-\u001f]+/y;
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

class Printer {
  ops: Op[] = [];
  mode: Mode = 'value';
  open: Container[] = [];
  /** Where the quote was opened in which we stand, else null; `isKey` tells whose quote. */
  quoted: number | null = null;
  isKey = false;
  /** How far the template was read. */
  end = 0;

  nodes(nodes: readonly Node[]): void {
    for (let index = 0; index < nodes.length; index++) {
      const node = nodes[index]!;
      this.end = node.at;
      if (node.kind === 'text') this.text(node.text, node.at);
      else if (node.kind === 'value') this.place(node.name, node.at);
      else index += this.section(node, nodes.slice(index + 1));
    }
  }

  /** Text of the template itself. */
  text(text: string, start: number): void {
    let at = 0;
    while (at < text.length) {
      const char = text[at]!;
      this.end = start + at;
      if (this.quoted !== null) at = this.insideQuotes(text, at, start);
      else if (/[ \t\r\n]/.test(char)) at++;
      else if (char === '"') {
        this.openQuote(start + at);
        at++;
      } else if (char === '{' || char === '[') {
        this.beginValue(start + at);
        this.raw(char);
        this.open.push({ closer: char === '{' ? '}' : ']', filled: 'no' });
        this.mode = 'element';
        at++;
      } else if (char === '}' || char === ']') {
        this.close(char, start + at);
        at++;
      } else if (char === ',') {
        this.comma(start + at);
        at++;
      } else if (char === ':') {
        if (this.mode !== 'colon') throw new Fault('a ":" is not expected here', start + at);
        this.raw(':');
        this.mode = 'value';
        at++;
      } else at = this.scalar(text, at, start);
    }
    this.end = start + text.length;
  }

  scalar(text: string, at: number, start: number): number {
    word.lastIndex = at;
    const found = word.exec(text)?.[0];
    if (found === undefined || !jsonScalar.test(found))
      throw new Fault(`"${found ?? text[at]!}" is no JSON value; text stands in quotes`, start + at);
    this.beginValue(start + at);
    this.raw(found);
    this.mode = 'after';
    return at + found.length;
  }

  insideQuotes(text: string, at: number, start: number): number {
    const char = text[at]!;
    if (char === '"') {
      this.raw('"');
      this.quoted = null;
      this.mode = this.isKey ? 'colon' : 'after';
      return at + 1;
    }
    if (char === '\\') {
      escape.lastIndex = at;
      const found = escape.exec(text)?.[0];
      if (found === undefined) throw new Fault('a backslash in quotes begins no JSON escape', start + at);
      this.raw(found);
      return at + found.length;
    }
    plainText.lastIndex = at;
    const run = plainText.exec(text)?.[0];
    if (run === undefined) throw new Fault('a line break or control character in quotes must be an escape', start + at);
    this.raw(JSON.stringify(run).slice(1, -1));
    return at + run.length;
  }

  openQuote(at: number): void {
    const container = this.open.at(-1);
    this.isKey = this.mode === 'element' && container?.closer === '}';
    if (this.isKey) this.beginElement();
    else this.beginValue(at);
    this.raw('"');
    this.quoted = at;
  }

  /** A value begins: is one expected, and does it need a comma before it? */
  beginValue(at: number): void {
    const container = this.open.at(-1);
    if (this.mode === 'value') return;
    if (this.mode === 'element' && container?.closer === ']') return this.beginElement();
    if (this.mode === 'element') throw new Fault('a name in quotes is expected here', at);
    if (this.mode === 'colon') throw new Fault('a ":" is missing here', at);
    throw new Fault(container === undefined ? 'the template ends after one value' : 'a "," is missing here', at);
  }

  beginElement(): void {
    const container = this.open.at(-1)!;
    if (container.filled === 'yes') this.raw(',');
    else if (container.filled === 'maybe') this.ops.push({ op: 'comma' });
    container.filled = 'yes';
  }

  /** A comma prints nothing: the next element brings its own, so that one too much does no harm. */
  comma(at: number): void {
    const inContainer = this.open.length > 0 && (this.mode === 'after' || this.mode === 'element');
    if (!inContainer) throw new Fault('a "," is not expected here', at);
    this.mode = 'element';
  }

  close(closer: string, at: number): void {
    const container = this.open.at(-1);
    if (container?.closer !== closer || (this.mode !== 'after' && this.mode !== 'element'))
      throw new Fault(`a "${closer}" is not expected here`, at);
    this.open.pop();
    this.raw(closer);
    this.mode = 'after';
  }

  /** `{{name}}` */
  place(name: Name, at: number): void {
    if (this.quoted !== null) {
      this.ops.push({ op: 'text', name });
      return;
    }
    this.beginValue(at);
    this.ops.push({ op: 'value', name });
    this.mode = 'after';
  }

  /** Gives how many of the nodes behind belong to it. */
  section(node: Section, behind: readonly Node[]): number {
    if (this.quoted === null && this.mode === 'value') return this.choice(node, behind);
    if (this.quoted === null && this.mode === 'colon') throw new Fault('a ":" is missing here', node.at);
    if (this.quoted === null && this.open.length === 0) throw new Fault('the template ends after one value', node.at);
    this.ops.push({ op: 'repeat', name: node.name, inverted: node.inverted, body: this.body(node) });
    return 0;
  }

  /** The body of a section that may come any number of times: it must end in the place in which it began. */
  body(node: Section): Op[] {
    const before = this.ops;
    const [depth, quoted] = [this.open.length, this.quoted];
    const container = this.open.at(-1);
    this.ops = [];
    // A section is as good as a comma: what comes before it, in it and after it are different elements.
    if (quoted === null) this.mode = 'element';
    if (container !== undefined && quoted === null) container.filled = 'maybe';
    this.nodes(node.children);
    const body = this.ops;
    this.ops = before;
    const sameQuotes = (this.quoted === null) === (quoted === null);
    const sameMode = this.quoted !== null || this.mode === 'after' || this.mode === 'element';
    if (this.open.length !== depth || this.open.at(-1) !== container || !sameQuotes || !sameMode)
      throw new Fault(
        `the section "${node.name.text}" must end where it began: inside the same quotes, list or object`,
        node.at,
      );
    if (quoted === null) this.mode = 'element';
    if (container !== undefined && quoted === null) container.filled = 'maybe';
    return body;
  }

  /** A section where one value is expected. */
  choice(node: Section, behind: readonly Node[]): number {
    const next = behind.findIndex((one) => one.kind !== 'text' || one.text.trim() !== '');
    const other = behind[next];
    const paired = other?.kind === 'section' && other.inverted !== node.inverted && other.name.text === node.name.text;
    const own = this.valueBody(node);
    this.mode = 'value';
    const others: readonly Op[] = paired ? this.valueBody(other) : [{ op: 'raw', json: 'null' }];
    this.mode = 'after';
    this.ops.push(
      node.inverted
        ? { op: 'choose', name: node.name, shown: others, hidden: own }
        : { op: 'choose', name: node.name, shown: own, hidden: others },
    );
    return paired ? next + 1 : 0;
  }

  valueBody(node: Section): readonly Op[] {
    const before = this.ops;
    const depth = this.open.length;
    this.ops = [];
    this.nodes(node.children);
    const body = this.ops;
    this.ops = before;
    if (this.quoted !== null || this.open.length !== depth || this.mode !== 'after')
      throw new Fault(`the section "${node.name.text}" stands for a value and must hold exactly one`, node.at);
    return body;
  }

  raw(json: string): void {
    const last = this.ops.at(-1);
    if (last?.op === 'raw') this.ops[this.ops.length - 1] = { op: 'raw', json: last.json + json };
    else this.ops.push({ op: 'raw', json });
  }
}

type Section = Extract<Node, { kind: 'section' }>;
