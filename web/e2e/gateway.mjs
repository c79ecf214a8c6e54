// Starts the real binary on a fresh data directory, reads its address and setup link from what it prints, and
// stops it. Leaves out building it.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const START_MS = 30_000;
const STOP_MS = 10_000;

/** A port that was free a moment ago. Only for what has to know its address before it starts. */
export function freePort() {
  return new Promise((done, fail) => {
    const server = createServer();
    server.on('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => done(port));
    });
  });
}

/**
 * Waits for the first line of a stream that `read` makes something of.
 * @template T
 * @param {import('node:child_process').ChildProcess} child
 * @param {string} what
 * @param {(line: string) => T | null} read
 * @returns {Promise<T>}
 */
export function firstLine(child, what, read) {
  return new Promise((done, fail) => {
    let rest = '';
    let all = '';
    const timer = setTimeout(() => fail(new Error(`${what}: nothing usable was printed in ${START_MS} ms:\n${all}`)), START_MS);
    child.once('error', fail);
    child.once('exit', (code) => fail(new Error(`${what} ended (${code}) before it was ready:\n${all}`)));
    child.stderr?.on('data', (chunk) => (all += chunk));
    child.stdout?.on('data', (chunk) => {
      all += chunk;
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const found = read(line);
        if (found === null) continue;
        clearTimeout(timer);
        done(found);
      }
    });
  });
}

/** @param {import('node:child_process').ChildProcess} child */
export async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once('exit', done));
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  child.kill('SIGTERM');
  await ended;
  clearTimeout(timer);
}

/**
 * @param {number} port 0 lets the system choose
 * @param {Record<string, string>} environment its configuration
 */
export async function startGateway(port, environment) {
  const program = resolve(process.env.MOSAIC_BIN ?? join(import.meta.dirname, '../../target/debug/mosaic'));
  const folder = await mkdtemp(join(tmpdir(), 'mosaic-web-'));
  // Nothing of the surrounding configuration may leak in.
  const env = { PATH: process.env.PATH ?? '', HOME: folder, ...environment };
  const child = spawn(program, ['up', '--listen', `127.0.0.1:${port}`, '--data', join(folder, 'data')], { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const close = async () => {
    await stop(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const setupLink = await firstLine(child, program, (line) => /http:\/\/127\.0\.0\.1:\d+\/#setup=[^\s"']+/.exec(line)?.[0] ?? null);
    return { origin: new URL(setupLink).origin, setupLink, close };
  } catch (caught) {
    await close();
    throw caught;
  }
}
