// What the tests share: where the server is, Wix's SDK with its requests sent there, and a browser's page for it.
//
// The SDK knows its servers, https://www.wixapis.com and https://edge.wixapis.com, and has no setting for others. So its
// `fetch` is replaced by one that sends what is for there to the server under test, and nothing to anywhere else. The SDK
// itself is as npm has it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { OAuthStrategy, createClient } from '@wix/sdk';
import { authentication, recovery } from '@wix/identity';

/** Root of the server under test, without a trailing slash. */
export const BASE_URL = (process.env.BASE_URL ?? '').replace(/\/+$/, '');
if (!/^https?:\/\//.test(BASE_URL)) {
  throw new Error('Set BASE_URL to the root of the server, e.g. BASE_URL=http://127.0.0.1:3000');
}

/** What examples/wix starts with. */
export const CLIENT_ID = '7f0c1d3e-5a1b-4c1e-9a53-0d7f2f6f1a11';
export const MEMBER = { email: 'user@example.com', password: 'correct horse battery' };
export const NEW_PASSWORD = 'wrong giraffe charger paperclip';

/** Milliseconds after which a hanging server fails one test. */
const TIMEOUT = 60_000;
export const rule = (name, check) => test(name, { timeout: TIMEOUT }, check);

/** An address nobody has used, so that runs can share one database. */
export const freshEmail = () => `member-${randomUUID()}@example.com`;

// --- The SDK ---------------------------------------------------------------------------------------------------

const APIS = ['https://www.wixapis.com', 'https://edge.wixapis.com'];
const send = globalThis.fetch;
let target = BASE_URL;
/** What the SDK has sent: `method`, `path`, `headers` in lower case, `body`. */
export const sent = [];

globalThis.fetch = async (input, init = {}) => {
  const url = new URL(input);
  assert.ok(APIS.includes(url.origin), `the SDK calls ${url}`);
  const headers = Object.fromEntries(new Headers(init.headers));
  sent.push({ method: init.method, path: url.pathname, headers, body: init.body && JSON.parse(init.body) });
  return send(target + url.pathname + url.search, { ...init, redirect: 'manual' });
};

/** A client of the SDK as an app makes it, over the server that was started last or the one at BASE_URL. */
export function sdk(options = {}) {
  return createClient({
    modules: { authentication, recovery },
    auth: OAuthStrategy({ clientId: CLIENT_ID, ...options }),
  });
}

/** A request by hand: status, headers, body as JSON if it is. */
export async function request(method, path, { headers, body } = {}) {
  const response = await send(path.startsWith('http') ? path : target + path, {
    method,
    headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
    body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT),
  });
  const text = await response.text();
  let json;
  try { json = JSON.parse(text); } catch { /* A page. */ }
  return { status: response.status, headers: response.headers, text, json };
}

export const post = (path, body, headers) => request('POST', path, { body, headers });

/** `/me` with an access token, as the SDK sends one: bare. */
export const me = (token) => request('GET', '/me', { headers: { Authorization: token } });

// --- What the SDK says -------------------------------------------------------------------------------------------

export const login = (email, password = MEMBER.password, client = sdk()) => client.auth.login({ email, password });
export const register = (email, password = MEMBER.password, profile) => sdk().auth.register({ email, password, profile });

/** What the SDK makes of a refusal. */
export function assertFailed(result, errorCode) {
  assert.equal(result.loginState, 'FAILURE', JSON.stringify(result));
  assert.equal(result.errorCode, errorCode, result.error);
  assert.equal(result.data, undefined);
}

export function assertSession(result) {
  assert.equal(result.loginState, 'SUCCESS', JSON.stringify(result));
  assert.match(result.data.sessionToken, /^JWS\.[\w-]+\.[\w-]+\.[\w-]+$/);
  return result.data.sessionToken;
}

/** The code of applicationError in a refusal that the SDK throws. */
export const thrown = (code) => (error) => {
  assert.equal(error.details?.applicationError?.code, code, error.message);
  return true;
};

/** The second that it is, as the SDK counts. */
export const now = () => Math.floor(Date.now() / 1000);

/** An access token that the SDK got after `begun`, for four hours. */
export function assertFourHours({ expiresAt }, begun) {
  assert.ok(expiresAt >= begun + 14_400 && expiresAt <= now() + 14_400, `${expiresAt - begun}`);
}

// --- Another server ----------------------------------------------------------------------------------------------

/** What the owner's routes ask for. */
const OWNER_KEY = randomUUID();

/** The example with settings of its own and an empty database, for the rest of this test. Its mails are its output. */
export async function server(t, settings) {
  assert.ok(process.env.EXECUTABLE, 'Set EXECUTABLE to the executable of examples/wix');
  const folder = mkdtempSync(join(tmpdir(), 'gatekit-wix-'));
  const child = spawn(process.env.EXECUTABLE, {
    cwd: folder,
    env: { ...process.env, PORT: '0', DATABASE: join(folder, 'test.db'), OWNER_KEY, ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = [];
  const waiting = new Set();
  const ended = new Promise((resolve) => child.once('exit', resolve));
  t.after(async () => {
    target = BASE_URL;
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    for (const look of waiting) look();
  });
  /** The first line from `from` on that `find` makes something of; waits for it. */
  const line = (find, from = 0) => new Promise((resolve, reject) => {
    ended.then(() => reject(new Error(`the server ended:\n${lines.join('\n')}`)));
    const look = () => {
      for (let at = from; at < lines.length; at += 1) {
        const found = find(lines[at], at);
        if (found !== undefined) {
          waiting.delete(look);
          resolve(found);
          return;
        }
      }
    };
    waiting.add(look);
    look();
  });
  target = await line((text) => /^READY (\S+)/.exec(text)?.[1]);
  return {
    url: target,
    /** From here on lines are new. */
    mark: () => lines.length,
    line,
    /** The code of six digits in the first mail to this address from `from` on. */
    async code(email, from = 0) {
      const mail = await line((text, at) => (text.includes(email) && /^to:/i.test(text.trim()) ? at : undefined), from);
      // It stands alone. Addresses have digits too.
      return line((text) => /(?:^|\s)(\d{6})\s*$/.exec(text)?.[1], mail + 1);
    },
  };
}

/** What the site's owner does, at the server that was started last. */
export async function owner(what, body) {
  const answer = await post(`/owner/${what}`, body, { 'X-Owner-Key': OWNER_KEY });
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
}
