// What a generated LoopBack project serves around the User API: CORS, helmet's headers, the status page, and its 404s.

import assert from 'node:assert/strict';
import test from 'node:test';
import { BASE_URL, PASSWORD, TIMEOUT, freshEmail } from './support.mjs';

const ORIGIN = 'https://app.example.net';
const SITE = new URL(BASE_URL).origin;

const rule = (name, check) => test(name, { timeout: TIMEOUT }, check);
const send = (method, url, headers, body) => fetch(url, {
  method, headers, body, signal: AbortSignal.timeout(TIMEOUT),
});

/** The names in `Vary`, which may come in several headers and in any case. */
const varies = (response) => response.headers.get('vary').toLowerCase().split(/, */);

async function assertNotFound(response, message) {
  assert.equal(response.status, 404);
  assert.deepEqual(await response.json(), { error: { statusCode: 404, name: 'Error', message } });
}

// --- helmet ------------------------------------------------------------------------------------------------------

/** What the `middleware.json` of a generated project makes helmet send. */
const HELMET = {
  'x-xss-protection': '1; mode=block',
  'x-frame-options': 'DENY',
  'strict-transport-security': 'max-age=0; includeSubDomains',
  'x-download-options': 'noopen',
  'x-content-type-options': 'nosniff',
};

for (const [method, path] of [
  ['GET', '/'], ['GET', '/api/Users/1'], ['GET', '/api/nothing'], ['GET', '/nothing'], ['HEAD', '/'],
  ['OPTIONS', '/api/users/login'], ['POST', '/api/users/login'],
]) {
  rule(`${method} ${path} is answered with helmet's headers, each once`, async () => {
    const response = await send(method, SITE + path);
    for (const [name, value] of Object.entries(HELMET)) assert.equal(response.headers.get(name), value, name);
    assert.equal(response.headers.get('x-powered-by'), null);
  });
}

// --- CORS --------------------------------------------------------------------------------------------------------

rule('a preflight is answered with 204, the methods, and the headers that are asked for', async () => {
  const response = await send('OPTIONS', `${BASE_URL}/users/login`, {
    Origin: ORIGIN,
    'Access-Control-Request-Method': 'POST',
    'Access-Control-Request-Headers': 'authorization,content-type',
  });
  assert.equal(response.status, 204);
  const header = (name) => response.headers.get(`access-control-${name}`);
  assert.equal(header('allow-origin'), ORIGIN);
  assert.equal(header('allow-credentials'), 'true');
  assert.equal(header('allow-methods'), 'GET,HEAD,PUT,PATCH,POST,DELETE');
  assert.equal(header('allow-headers'), 'authorization,content-type');
  assert.equal(header('max-age'), '86400');
  assert.ok(varies(response).includes('origin'));
  assert.ok(varies(response).includes('access-control-request-headers'));
});

for (const path of ['/', '/api/users/1', '/api/nothing', '/nothing']) {
  rule(`OPTIONS ${path} without an origin is answered with 204 too`, async () => {
    const response = await send('OPTIONS', SITE + path);
    assert.equal(response.status, 204);
    assert.equal(response.headers.get('access-control-allow-origin'), null);
    assert.equal(response.headers.get('access-control-allow-methods'), 'GET,HEAD,PUT,PATCH,POST,DELETE');
  });
}

rule('successes and refusals name the origin that asks, and vary by it', async () => {
  const user = JSON.stringify({ email: freshEmail(), password: PASSWORD });
  const headers = { Origin: ORIGIN, 'Content-Type': 'application/json' };
  for (const [method, path, body, status] of [
    ['POST', '/Users', user, 200],
    ['POST', '/Users', user, 422],
    ['GET', '/Users', undefined, 401],
    ['GET', '/nothing', undefined, 404],
  ]) {
    const response = await send(method, BASE_URL + path, headers, body);
    assert.equal(response.status, status);
    assert.equal(response.headers.get('access-control-allow-origin'), ORIGIN);
    assert.equal(response.headers.get('access-control-allow-credentials'), 'true');
    assert.ok(varies(response).includes('origin'));
  }
});

// --- What is there, and what is not --------------------------------------------------------------------------------

rule('GET / says since when the server runs, and for how many seconds', async () => {
  const response = await send('GET', `${SITE}/`);
  assert.equal(response.status, 200);
  const status = await response.json();
  assert.deepEqual(Object.keys(status), ['started', 'uptime']);
  assert.match(status.started, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.ok(status.uptime > 0);
});

rule('no class has the path: the 404 has the path below the root', async () => {
  await assertNotFound(await send('GET', `${BASE_URL}/nothing`), 'There is no method to handle GET /nothing');
});

rule('a class has no such method: the 404 has the path below the class', async () => {
  await assertNotFound(
    await send('DELETE', `${BASE_URL}/users`),
    'Shared class "User" has no method handling DELETE /',
  );
});

for (const [method, path] of [['GET', '/nothing'], ['PUT', '/']]) {
  rule(`${method} ${path}, outside of the root: the 404 has the whole path`, async () => {
    await assertNotFound(await send(method, SITE + path), `Cannot ${method} ${path}`);
  });
}
