/** What is wrong with a message that goes all the same, collected while it is made. */

// Mapping is synchronous, one record at a time; nearly none has a flaw.
let flaws: string[] | null = null;

export function addFlaw(text: string): void {
  (flaws ??= []).push(text);
}

/** Takes what was collected since the last call; null: nothing. */
export function takeFlaws(): readonly string[] | null {
  const taken = flaws;
  flaws = null;
  return taken;
}
