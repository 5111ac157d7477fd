// Clients that know Digest with MD5 alone, against examples/cmwell with the flag `md5`. They read the first challenge and no other.
//
// EXECUTABLE=../../../target/debug/cmwell node --test md5.test.mjs

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { request } from 'urllib';
import { start } from './server.mjs';

const { default: AxiosDigestAuth } = createRequire(import.meta.url)('@mhoc/axios-digest-auth');

const TIMEOUT = 60_000;
const rule = (name, check) => test(name, { timeout: TIMEOUT }, check);
const run = promisify(execFile);

let flagged;
let plain;
before(async () => {
  [flagged, plain] = await Promise.all([start({ LEGACY: 'md5' }), start({})]);
});
after(() => Promise.all([flagged.stop(), plain.stop()]));

/** The name in a token. */
const sub = ({ token }) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString()).sub;

rule('npm’s urllib logs in, with a lifetime too', async () => {
  for (const path of ['/_login', '/_login?exp=3d%205h']) {
    const answer = await request(flagged.url + path, { digestAuth: 'myUser:myPassword', dataType: 'json' });
    assert.equal(answer.status, 200, JSON.stringify(answer.data));
    assert.equal(sub(answer.data), 'myUser');
  }
  const wrong = await request(`${flagged.url}/_login`, { digestAuth: 'myUser:wrong', dataType: 'text' });
  assert.equal(wrong.status, 401);
});

rule('@mhoc/axios-digest-auth logs in', async () => {
  const client = new AxiosDigestAuth({ username: 'myUser', password: 'myPassword' });
  for (let n = 0; n < 2; n += 1) {
    const answer = await client.request({ method: 'GET', url: `${flagged.url}/_login` });
    assert.equal(answer.status, 200);
    assert.equal(sub(answer.data), 'myUser');
  }
  const wrong = new AxiosDigestAuth({ username: 'myUser', password: 'wrong' });
  await assert.rejects(wrong.request({ method: 'GET', url: `${flagged.url}/_login` }), (error) => error.response.status === 401);
  // It signs the path without the query, and a lifetime that nobody has signed is refused.
  const unsigned = client.request({ method: 'GET', url: `${flagged.url}/_login?exp=60d` });
  await assert.rejects(unsigned, (error) => error.response.status === 400);
});

rule('curl logs in, with MD5 now that it comes first', async () => {
  const { stdout, stderr } = await run('curl', [
    '--silent', '--verbose', '--max-time', '30', '-u', 'myUser:myPassword', '--digest', `${flagged.url}/_login?exp=3d`,
  ]);
  assert.equal(sub(JSON.parse(stdout)), 'myUser');
  assert.match(stderr, /> authorization: Digest .*algorithm=MD5/i);
});

rule('without the flag they are refused', async () => {
  const urllib = await request(`${plain.url}/_login`, { digestAuth: 'myUser:myPassword', dataType: 'text' });
  assert.equal(urllib.status, 401);
  const client = new AxiosDigestAuth({ username: 'myUser', password: 'myPassword' });
  await assert.rejects(client.request({ method: 'GET', url: `${plain.url}/_login` }), (error) => error.response.status === 401);
});
