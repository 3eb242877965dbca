/** A Mustache template whose result is JSON, for every record. */
import { fragment, lastByte, writeByte, writeEscaped, writeFragment, writeJson } from '../../base/json-writer.ts';
import { jsonOps, type Op } from './json-positions.ts';
import { compileName, isShown, Steps, type ExtraNames, type Frame, type Node, type Scope } from './mustache.ts';
import { textOf } from '../text.ts';

/** Writes the JSON to the shared writer. Throws Fault when the template might give anything but JSON. */
export function compileJson(nodes: readonly Node[], extra: ExtraNames): (scope: Scope) => void {
  const write = compileOps(jsonOps(nodes), extra, false);
  return (scope) => write(scope, null, new Steps());
}

type Write = (scope: Scope, frame: Frame | null, steps: Steps) => void;

function compileOps(ops: readonly Op[], extra: ExtraNames, inSection: boolean): Write {
  const writes = ops.map((op) => compileOp(op, extra, inSection));
  return (scope, frame, steps) => {
    for (let index = 0; index < writes.length; index++) writes[index]!(scope, frame, steps);
  };
}

function compileOp(op: Op, extra: ExtraNames, inSection: boolean): Write {
  if (op.op === 'raw') {
    const piece = fragment(op.json);
    return () => writeFragment(piece);
  }
  if (op.op === 'comma') return writeComma;
  const resolve = compileName(op.name, extra, inSection);
  if (op.op === 'value') return (scope, frame) => void writeJson(resolve(scope, frame) ?? null);
  if (op.op === 'text') return (scope, frame) => writeEscaped(textOf(resolve(scope, frame)));
  if (op.op === 'choose') {
    const shown = compileOps(op.shown, extra, true);
    const hidden = compileOps(op.hidden, extra, inSection);
    return (scope, frame, steps) => {
      const value = resolve(scope, frame);
      if (!isShown(value)) return hidden(scope, frame, steps);
      shown(scope, { item: Array.isArray(value) ? (value[0] as unknown) : value, up: frame }, steps);
    };
  }
  const body = compileOps(op.body, extra, true);
  return (scope, frame, steps) => {
    const value = resolve(scope, frame);
    if (op.inverted) {
      if (!isShown(value)) body(scope, frame, steps);
      return;
    }
    if (!isShown(value)) return;
    for (const item of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
      steps.take();
      body(scope, { item, up: frame }, steps);
    }
  };
}

const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;

/** An element follows: a comma, unless it is the first. A string ends with its quote, so the byte is no text's. */
function writeComma(): void {
  const last = lastByte();
  if (last !== OPEN_BRACE && last !== OPEN_BRACKET) writeByte(COMMA);
}
