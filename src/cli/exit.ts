/** Exit codes: what a calling program may rely on. */
export const exitCodes = { done: 0, failed: 1, rejected: 2, usage: 64 } as const;
