/** Writes objects that a mapping spells out: prepared pieces and values in one flat list, nested objects included. */
import {
  closeObject,
  fragment,
  markHere,
  memberName,
  rewindTo,
  writeByte,
  writeFragment,
  writeMember,
  writeName,
  type Fragment,
} from '../base/json-writer.ts';
import type { Evaluate, Member, Write } from './expression.ts';

/** Every member is written with a comma after it; the end of its object takes the last one back. */
export function compileWrite(members: readonly Member[]): Write {
  const steps: Step[] = [];
  const rest = addSteps(members, '{', steps);
  if (rest !== '') steps.push(rawStep(rest));
  steps.push(closeStep);
  return (root, record, context) => {
    for (let index = 0; index < steps.length; index++) {
      const step = steps[index]!;
      if (step.kind === VALUE) writeMember(step.piece, step.evaluate(root, record, context));
      else if (step.kind === RAW) writeFragment(step.piece);
      else if (step.kind === CLOSE) closeObject();
      else {
        const mark = markHere();
        writeName(step.piece);
        if (step.write(root, record, context)) writeByte(COMMA);
        else rewindTo(mark);
      }
    }
    return true;
  };
}

const COMMA = 0x2c;
const RAW = 0;
const VALUE = 1;
const WRITE = 2;
const CLOSE = 3;

/** All steps have one shape: the loop over them stays fast. */
interface Step {
  readonly kind: number;
  readonly piece: Fragment;
  readonly evaluate: Evaluate;
  readonly write: Write;
}

/** Gives the fixed text that stands after the last step added. */
function addSteps(members: readonly Member[], before: string, steps: Step[]): string {
  let pending = before;
  const flush = (): void => {
    if (pending !== '') steps.push(rawStep(pending));
    pending = '';
  };
  for (const [name, value] of members) {
    if (value.constant !== null) {
      const json = JSON.stringify(value.constant.value) as string | undefined;
      if (json !== undefined) pending += `${JSON.stringify(name)}:${json},`;
    } else if (value.members !== undefined) {
      pending = addSteps(value.members, `${pending}${JSON.stringify(name)}:{`, steps);
      flush();
      steps.push(closeStep);
      pending = ',';
    } else {
      flush();
      const { evaluate, write } = value;
      steps.push({ kind: value.writesItself ? WRITE : VALUE, piece: memberName(name), evaluate, write });
    }
  }
  return pending;
}

const never = (): boolean => false;

function rawStep(text: string): Step {
  return { kind: RAW, piece: fragment(text), evaluate: never, write: never };
}

const closeStep: Step = { kind: CLOSE, piece: fragment(''), evaluate: never, write: never };
