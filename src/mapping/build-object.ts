/** Builds objects that a mapping spells out. */
import type { Evaluate, Member } from './expression.ts';
import { setterOf, type Setter } from './setters.ts';

/** Absent members are left out. */
export function compileBuild(members: readonly Member[]): Evaluate {
  const steps: readonly Step[] = members.map(([name, { evaluate }]) => ({ evaluate, set: setterOf(name) }));
  return (root, record, context) => {
    const built: Record<string, unknown> = {};
    for (let index = 0; index < steps.length; index++) {
      const step = steps[index]!;
      const value = step.evaluate(root, record, context);
      if (value !== undefined) step.set(built, value);
    }
    return built;
  };
}

interface Step {
  readonly evaluate: Evaluate;
  readonly set: Setter;
}
