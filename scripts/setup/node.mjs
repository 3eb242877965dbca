/** Runs a file by the Node that Headrace needs, in place of this process as far as signals and the exit code go. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { checkout, headraceNode } from './tools.mjs';

/** A signal that comes twice within this time is one: npm passes on what the whole group has been given already. */
const SAME_SIGNAL_MS = 1000;

/** Resolves with the exit code once it has ended. Started in the checkout. */
export function runNode(args, env = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(headraceNode(), args, { cwd: checkout, stdio: 'inherit', env });
    const handlers = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => [signal, passOn(child, signal)]);
    for (const [signal, handler] of handlers) process.on(signal, handler);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      for (const [name, handler] of handlers) process.removeListener(name, handler);
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}

function passOn(child, signal) {
  // Ctrl-C in a terminal reaches the child by itself, as it is of the same foreground group.
  const fromTerminal = signal === 'SIGINT' && [0, 1, 2].some((stream) => isatty(stream));
  let last = -Infinity;
  return () => {
    const now = performance.now();
    if (!fromTerminal && now - last > SAME_SIGNAL_MS) child.kill(signal);
    last = now;
  };
}
