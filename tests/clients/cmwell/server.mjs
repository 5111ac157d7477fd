// The example with settings of its own and an empty database, for the tests of one file.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Starts it. Returns its root, and what ends it. */
export async function start(settings) {
  assert.ok(process.env.EXECUTABLE, 'Set EXECUTABLE to the executable of examples/cmwell');
  const folder = mkdtempSync(join(tmpdir(), 'gatekit-cmwell-'));
  const child = spawn(process.env.EXECUTABLE, {
    cwd: folder,
    env: { ...process.env, PORT: '0', DEVELOPMENT: '1', DATABASE: join(folder, 'test.db'), ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  const url = await new Promise((resolve, reject) => {
    ended.then(() => reject(new Error('the server has ended')));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const ready = /^READY (\S+)/.exec(line);
      if (ready) resolve(ready[1]);
    });
  });
  return { url, stop };
}
