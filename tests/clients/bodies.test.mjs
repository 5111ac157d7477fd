// What clients send in forms that a LoopBack project reads: compressed bodies, FormData, a slash too many, a whole user sent back.

import assert from 'node:assert/strict';
import test from 'node:test';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { BASE_URL, PASSWORD, TIMEOUT, assertToken, freshEmail } from './support.mjs';

const rule = (name, check) => test(name, { timeout: TIMEOUT }, check);
const send = (method, path, body, headers = {}) => fetch(BASE_URL + path, {
  method, body, headers: { 'Content-Type': 'application/json', ...headers }, signal: AbortSignal.timeout(TIMEOUT),
});

/** A new user with a token. */
async function newUser() {
  const email = freshEmail();
  const credentials = JSON.stringify({ email, password: PASSWORD });
  const user = await (await send('POST', '/Users', credentials)).json();
  const token = await (await send('POST', '/Users/login', credentials)).json();
  return { email, credentials, id: user.id, token: { Authorization: token.id } };
}

async function assertError(response, status, name, message, code) {
  assert.equal(response.status, status);
  const error = { statusCode: status, name, message };
  assert.deepEqual(await response.json(), { error: code ? { ...error, code } : error });
}

// --- Compressed bodies -------------------------------------------------------------------------------------------

for (const [encoding, pack] of [['gzip', gzipSync], ['deflate', deflateSync]]) {
  rule(`a body that is compressed with ${encoding} is read, as JSON and as a form`, async () => {
    const { id, email, credentials } = await newUser();
    const form = new URLSearchParams({ email, password: PASSWORD }).toString();
    for (const [type, body] of [['application/json', credentials], ['application/x-www-form-urlencoded', form]]) {
      const response = await send('POST', '/Users/login', pack(body), { 'Content-Type': type, 'Content-Encoding': encoding });
      assert.equal(response.status, 200);
      assertToken(await response.json(), id);
    }
  });

  rule(`a bomb of ${encoding} is too large`, async () => {
    const bomb = pack(Buffer.alloc(50_000_000, ' '));
    const response = await send('POST', '/Users/login', bomb, { 'Content-Encoding': encoding });
    await assertError(response, 413, 'PayloadTooLargeError', 'request entity too large');
  });

  rule(`what is not ${encoding} and says that it is cannot be read`, async () => {
    const login = (body) => send('POST', '/Users/login', body, { 'Content-Encoding': encoding });
    await assertError(await login('{}'), 400, 'Error', 'incorrect header check', 'Z_DATA_ERROR');
    const cut = pack('{"email":"a@b.c","password":"x"}').subarray(0, 20);
    await assertError(await login(cut), 400, 'Error', 'unexpected end of file', 'Z_BUF_ERROR');
    const damaged = pack('{}');
    damaged[damaged.length - (encoding === 'gzip' ? 5 : 1)] ^= 1;
    await assertError(await login(damaged), 400, 'Error', 'incorrect data check', 'Z_DATA_ERROR');
  });
}

rule('gzip in several pieces is read, and deflate without a header is not', async () => {
  const { id, credentials } = await newUser();
  const pieces = Buffer.concat([gzipSync(credentials.slice(0, 9)), gzipSync(credentials.slice(9))]);
  const response = await send('POST', '/Users/login', pieces, { 'Content-Encoding': 'gzip' });
  assertToken(await response.json(), id);
  const raw = await send('POST', '/Users/login', deflateRawSync(credentials), { 'Content-Encoding': 'deflate' });
  assert.equal(raw.status, 400);
  // What zlib finds wrong with it depends on its first bytes.
  assert.equal((await raw.json()).error.code, 'Z_DATA_ERROR');
});

for (const encoding of ['br', 'x-gzip', 'gzip, gzip']) {
  rule(`the content encoding ${encoding} is not read`, async () => {
    const response = await send('POST', '/Users/login', '{}', { 'Content-Encoding': encoding });
    await assertError(response, 415, 'UnsupportedMediaTypeError', `unsupported content encoding "${encoding}"`);
  });
}

// --- Other forms -------------------------------------------------------------------------------------------------

rule('FormData is no body that is read', async () => {
  const body = new FormData();
  body.set('email', 'a@b.c');
  body.set('password', PASSWORD);
  const response = await fetch(`${BASE_URL}/Users/login`, { method: 'POST', body, signal: AbortSignal.timeout(TIMEOUT) });
  await assertError(response, 400, 'Error', 'username or email is required', 'USERNAME_EMAIL_REQUIRED');
});

rule('a root that ends with a slash and a path that begins with one make the same path', async () => {
  const { id, email, credentials, token } = await newUser();
  for (const path of [`//Users/${id}`, `//users/${id}/`, `/Users//${id}`]) {
    const response = await send('GET', path, undefined, token);
    assert.equal(response.status, 200, path);
    assert.equal((await response.json()).email, email);
  }
  assert.equal((await send('POST', '//Users/login', credentials)).status, 200);
  assert.equal((await send('GET', '/Users//', undefined, token)).status, 401);
  assert.equal((await send('GET', `/Users/${id}//`, undefined, token)).status, 404);
});

rule('an id in a body is the own one', async () => {
  const { id, email, token } = await newUser();
  const patch = (other) => send('PATCH', `/Users/${id}`, JSON.stringify({ id: other }), token);
  const put = (other) => send('PUT', `/Users/${id}`, JSON.stringify({ id: other, email, password: PASSWORD }), token);
  for (const own of [id, String(id)]) assert.equal((await patch(own)).status, 200);
  for (const other of [null, '', 0, false, [id], {}, id + 1, 'x']) {
    const message = `id cannot be updated from ${id} to ${other} when forceId is set to true`;
    await assertError(await patch(other), 400, 'Error', message);
  }
  for (const none of [id, null, '', 0, false]) assert.equal((await put(none)).status, 200);
  for (const other of [{}, id + 1, 'x']) {
    await assertError(await put(other), 400, 'Error', `id property (id) cannot be updated from ${id} to ${other}`);
  }
});

rule('accessTokens in a body are dropped', async () => {
  const { id, email, token } = await newUser();
  for (const accessTokens of [[{ id: 'mine' }], 'text', null]) {
    const users = [
      await send('POST', '/Users', JSON.stringify({ email: freshEmail(), password: PASSWORD, color: 'red', accessTokens })),
      await send('PATCH', `/Users/${id}`, JSON.stringify({ color: 'red', accessTokens }), token),
      await send('PUT', `/Users/${id}`, JSON.stringify({ email, password: PASSWORD, color: 'red', accessTokens }), token),
    ];
    for (const response of users) {
      assert.equal(response.status, 200);
      const user = await response.json();
      assert.equal(user.color, 'red');
      assert.ok(!('accessTokens' in user));
    }
  }
});
