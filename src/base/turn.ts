/** Work at the end of the present turn of the event loop, so that everything that arrived in it goes together. */

/** Calls back once after the input of this turn has been handled. */
export function afterTurn(callback: () => void): void {
  setImmediate(callback);
}
