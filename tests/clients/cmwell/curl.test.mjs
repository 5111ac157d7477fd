// The real curl against examples/cmwell: every form that CM-Well's documentation shows, and what curl does besides.
//
// BASE_URL=http://127.0.0.1:3000 node --test cmwell/curl.test.mjs

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { promisify } from 'node:util';

const BASE_URL = (process.env.BASE_URL ?? '').replace(/\/+$/, '');
if (!/^https?:\/\//.test(BASE_URL)) {
  throw new Error('Set BASE_URL to where examples/cmwell listens, e.g. BASE_URL=http://127.0.0.1:3000');
}
const TIMEOUT = 60_000;
const DAY = 86_400_000;
const PASSWORD = 'correct horse battery';
const run = promisify(execFile);
const rule = (name, check) => test(name, { timeout: TIMEOUT }, check);

/** What curl prints, and what went over the wire: the header lines that it sent and got. */
async function curl(...args) {
  const { stdout, stderr } = await run('curl', ['--silent', '--verbose', '--max-time', '30', ...args]);
  const lines = (mark) => stderr.split(/\r?\n/).filter((line) => line.startsWith(`${mark} `)).map((line) => line.slice(2));
  const sent = lines('>');
  return {
    body: stdout,
    sent,
    got: lines('<'),
    statuses: lines('<').filter((line) => line.startsWith('HTTP/')).map((line) => Number(line.split(' ')[1])),
    authorizations: sent.filter((line) => /^authorization:/i.test(line)).map((line) => line.slice(line.indexOf(':') + 1).trim()),
  };
}

/** The claims of the one token that was printed. Nobody but the server checks its signature. */
function claims(body) {
  const { token, ...rest } = JSON.parse(body);
  assert.deepEqual(rest, {}, 'the token is the only member');
  const [, payload] = token.split('.');
  return JSON.parse(Buffer.from(payload, 'base64url').toString());
}

/** Milliseconds that the token lives from now on, which must be so many but for the time that the test takes. */
function assertLives(body, milliseconds, sub = 'myUser') {
  const { sub: name, exp, rev } = claims(body);
  assert.equal(name, sub);
  assert.equal(typeof rev, 'number');
  const left = exp - Date.now();
  assert.ok(left <= milliseconds && left > milliseconds - TIMEOUT * 2, `${left} of ${milliseconds}`);
}

async function post(path, body, token) {
  const headers = { 'Content-Type': 'application/json', ...(token && { 'X-CM-WELL-TOKEN': token }) };
  const response = await fetch(BASE_URL + path, { method: 'POST', headers, body: JSON.stringify(body) });
  assert.ok(response.ok, `${path}: ${response.status} ${await response.clone().text()}`);
}

/** A new user who has turned Digest on. */
async function signUp(username, password = PASSWORD) {
  await post('/api/users', { email: `${randomUUID()}@example.com`, username, password });
  const { body } = await curl('-u', `${username}:${password}`, `${BASE_URL}/_login`);
  await post('/me/digest', { password }, JSON.parse(body).token);
}

// --- As CM-Well documents it ---------------------------------------------------------------------------------------

rule('the documented line works as pasted', async () => {
  const { body, statuses } = await curl('-u', 'myUser:myPassword', `${BASE_URL}/_login?exp=30d`);
  assert.deepEqual(statuses, [200]);
  assertLives(body, 30 * DAY);
});

rule('-u and no exp: a day', async () => {
  const { body } = await curl('-u', 'myUser:myPassword', `${BASE_URL}/_login`);
  assertLives(body, DAY);
});

rule('-u --digest: challenge, answer, token; the password does not travel', async () => {
  const { body, statuses, authorizations } = await curl('-u', 'myUser:myPassword', '--digest', `${BASE_URL}/_login`);
  assert.deepEqual(statuses, [401, 200]);
  assert.equal(authorizations.length, 1);
  assert.match(authorizations[0], /^Digest .*algorithm=SHA-256/);
  assert.match(authorizations[0], /qop=auth/);
  assertLives(body, DAY);
});

rule('--anyauth takes Digest, the stronger of what is offered', async () => {
  const { body, statuses, authorizations } = await curl('-u', 'myUser:myPassword', '--anyauth', `${BASE_URL}/_login`);
  assert.deepEqual(statuses, [401, 200]);
  assert.match(authorizations[0], /^Digest /);
  assertLives(body, DAY);
});

const HOUR = DAY / 24;
const MINUTE = HOUR / 60;
const LIFETIMES = [
  ['30d', 30 * DAY], ['60d', 60 * DAY], ['86400m', 60 * DAY], ['1440h', 60 * DAY], ['3d%205h', 3 * DAY + 5 * HOUR],
  ['3d+5h', 3 * DAY + 5 * HOUR], ['2h30m', 2.5 * HOUR], ['2H30M', 2.5 * HOUR], ['3D-5H', 3 * DAY + 5 * HOUR],
  ['5h3d', 3 * DAY + 5 * HOUR], ['1d,2h;3m', DAY + 2 * HOUR + 3 * MINUTE], ['%2230d%22', 30 * DAY],
];
for (const [exp, milliseconds] of LIFETIMES) {
  for (const digest of [[], ['--digest']]) {
    rule(`exp=${exp} ${digest.join('')}`.trim(), async () => {
      const { body } = await curl('-u', 'myUser:myPassword', ...digest, `${BASE_URL}/_login?exp=${exp}`);
      assertLives(body, milliseconds);
    });
  }
}

for (const exp of ['61d', '60d1m', '99999999999d', 'foo', '30', '0d', '']) {
  rule(`exp=${exp} is a bad request, by Basic and by Digest`, async () => {
    for (const digest of [[], ['--digest']]) {
      const { statuses } = await curl('-u', 'myUser:myPassword', ...digest, `${BASE_URL}/_login?exp=${exp}`);
      assert.equal(statuses.at(-1), 400);
    }
  });
}

rule('the token opens /me in X-CM-WELL-TOKEN', async () => {
  const { body } = await curl('-u', 'myUser:myPassword', '--digest', `${BASE_URL}/_login?exp=2h`);
  const me = await curl('-H', `X-CM-WELL-TOKEN: ${JSON.parse(body).token}`, `${BASE_URL}/me`);
  assert.deepEqual(me.statuses, [200]);
  assert.equal(JSON.parse(me.body).username, 'myUser');
  const nobody = await curl(`${BASE_URL}/me`);
  assert.deepEqual(nobody.statuses, [401]);
});

// --- Refused -------------------------------------------------------------------------------------------------------

rule('without credentials: 401, with a challenge for each scheme, strongest first', async () => {
  const { body, statuses, got } = await curl(`${BASE_URL}/_login`);
  assert.deepEqual(statuses, [401]);
  assert.equal(body, 'Please provide your credentials.\n');
  const challenges = got.filter((line) => /^www-authenticate:/i.test(line)).map((line) => line.replace(/^[^:]*: /, ''));
  assert.deepEqual(challenges.map((challenge) => challenge.split(' ')[0]), ['Digest', 'Basic']);
  assert.ok(got.some((line) => /^cache-control: no-store$/i.test(line)));
});

for (const [scheme, args, expected] of [['Basic', [], [401]], ['Digest', ['--digest'], [401, 401]]]) {
  rule(`a wrong password by ${scheme} and an unknown user look alike`, async () => {
    const answers = [];
    for (const user of ['myUser:wrong', `${randomUUID()}:myPassword`]) {
      const answer = await curl('-u', user, ...args, `${BASE_URL}/_login`);
      assert.deepEqual(answer.statuses, expected, 'curl does not go on for ever');
      assert.doesNotMatch(answer.got.join('\n'), /stale/i);
      const variable = /nonce="[^"]*"|^date: .*/gi;
      answers.push([answer.body, ...answer.got.map((line) => line.replace(variable, ''))]);
    }
    assert.deepEqual(answers[0], answers[1]);
    assert.match(answers[0][0], /Not authenticated\.\n$/);
  });
}

rule('an answer that was recorded is refused', async () => {
  const { authorizations } = await curl('-u', 'myUser:myPassword', '--digest', `${BASE_URL}/_login`);
  const replayed = await curl('-H', `Authorization: ${authorizations[0]}`, `${BASE_URL}/_login`);
  assert.deepEqual(replayed.statuses, [401]);
  assert.match(replayed.got.join('\n'), /stale=true/);
});

rule('a user who has not turned Digest on logs in by Basic alone', async () => {
  const name = randomUUID();
  await post('/api/users', { email: `${name}@example.com`, username: name, password: PASSWORD });
  const digest = await curl('-u', `${name}:${PASSWORD}`, '--digest', `${BASE_URL}/_login`);
  assert.deepEqual(digest.statuses, [401, 401]);
  const basic = await curl('-u', `${name}:${PASSWORD}`, `${BASE_URL}/_login`);
  assert.deepEqual(basic.statuses, [200]);
});

rule('POST /_login is no login', async () => {
  const { statuses, got } = await curl('-u', 'myUser:myPassword', '-X', 'POST', `${BASE_URL}/_login`);
  assert.deepEqual(statuses, [405]);
  assert.ok(got.some((line) => /^allow: .*GET/i.test(line)));
});

// --- Several at once, and names of all kinds -----------------------------------------------------------------------

rule('several URLs in one command get a token each', async () => {
  const urls = ['/_login', '/_login?exp=1h', '/_login?exp=2h30m', '/_login'].map((path) => BASE_URL + path);
  const { body, statuses } = await curl('-u', 'myUser:myPassword', '--digest', ...urls);
  assert.equal(statuses.filter((status) => status === 200).length, urls.length);
  assert.equal(body.match(/"token":/g).length, urls.length);
});

rule('HEAD is answered like GET, without a body', async () => {
  const { statuses, body } = await curl('-u', 'myUser:myPassword', '--digest', '--head', `${BASE_URL}/_login`);
  assert.deepEqual(statuses, [401, 200]);
  assert.doesNotMatch(body, /token/);
});

const unique = randomUUID().slice(0, 8);
const NAMES = [`a.b@x-${unique}.org`, `Jürgen Müller ${unique}`, `用户${unique}`, `us"er${unique}`, `DOMAIN\\user${unique}`];
for (const name of NAMES) {
  rule(`the user ${name} logs in both ways, with a password in UTF-8`, async () => {
    const password = 'naïve Größenwahn 密码 🔑';
    await signUp(name, password);
    for (const digest of [[], ['--digest']]) {
      const { body } = await curl('-u', `${name}:${password}`, ...digest, `${BASE_URL}/_login?exp=3h`);
      assertLives(body, 3 * HOUR, name);
    }
  });
}

rule('a password with colons is a password', async () => {
  const name = `colon-${unique}`;
  await signUp(name, 'correct:horse:battery');
  for (const digest of [[], ['--digest']]) {
    const { statuses } = await curl('-u', `${name}:correct:horse:battery`, ...digest, `${BASE_URL}/_login`);
    assert.equal(statuses.at(-1), 200);
  }
});

rule('another password ends tokens and Digest at once', async () => {
  const name = `changing-${unique}`;
  await signUp(name);
  const { token } = JSON.parse((await curl('-u', `${name}:${PASSWORD}`, '--digest', `${BASE_URL}/_login`)).body);
  const next = 'wrong giraffe charger';
  await post('/_auth', { op: 'change-password', current: PASSWORD, new: next }, token);
  assert.deepEqual((await curl('-H', `X-CM-WELL-TOKEN: ${token}`, `${BASE_URL}/me`)).statuses, [401]);
  for (const password of [PASSWORD, next]) {
    const digest = await curl('-u', `${name}:${password}`, '--digest', `${BASE_URL}/_login`);
    assert.deepEqual(digest.statuses, [401, 401]);
  }
  assert.deepEqual((await curl('-u', `${name}:${next}`, `${BASE_URL}/_login`)).statuses, [200]);
});

// --- Path permissions, roles and the administrator --------------------------------------------------------------------

const tokenOf = async (name, password) => JSON.parse((await curl('-u', `${name}:${password}`, `${BASE_URL}/_login`)).body).token;
const as = (token) => (token ? ['-H', `X-CM-WELL-TOKEN: ${token}`] : []);
const status = async (token, ...args) => (await curl(...as(token), ...args)).statuses.at(-1);
const json = (body) => ['-H', 'Content-Type: application/json', '--data', JSON.stringify(body)];

rule('everybody reads, nobody writes without a permission, and records of users are the administrator’s', async () => {
  const name = `reader-${unique}`;
  await signUp(name);
  const user = await tokenOf(name, PASSWORD);
  const admin = await tokenOf('myUser', 'myPassword');
  const anonymous = await curl(`${BASE_URL}/docs/welcome`);
  assert.deepEqual([anonymous.statuses, anonymous.body], [[200], 'Everybody may read this.\n']);
  for (const path of ['/meta/auth/users/myUser', '/meta/auth/roles/admin', '/docs//welcome', '/docs/%2e%2e/meta']) {
    assert.equal(await status(undefined, '--path-as-is', BASE_URL + path), 403, path);
    assert.equal(await status(user, '--path-as-is', BASE_URL + path), 403, path);
  }
  for (const token of [undefined, user]) {
    const refused = await curl(...as(token), '-X', 'PUT', '--data', 'x', `${BASE_URL}/docs/x-${unique}`);
    assert.deepEqual(refused.statuses, [403]);
    assert.equal(JSON.parse(refused.body).success, false);
  }
  assert.equal(await status(admin, '-X', 'PUT', '--data', 'x', `${BASE_URL}/docs/x-${unique}`), 204);
  assert.equal(await status(admin, `${BASE_URL}/meta/auth/users/${name}`), 200);
  // A token that is not valid is refused also where everybody may read.
  assert.equal(await status(`${admin}x`, `${BASE_URL}/docs/welcome`), 403);
});

rule('the administrator gives roles and takes them away, and it counts at once', async () => {
  const name = `editor-${unique}`;
  await signUp(name);
  const [user, admin] = [await tokenOf(name, PASSWORD), await tokenOf('myUser', 'myPassword')];
  const write = () => status(user, '-X', 'PUT', '--data', 'hello', `${BASE_URL}/docs/e-${unique}`);
  const record = `${BASE_URL}/meta/auth/users/${name}`;
  assert.equal(await write(), 403);
  assert.equal(await status(user, '-X', 'PUT', ...json({ roles: ['admin'] }), record), 403, 'nobody makes oneself one');
  assert.equal(await status(admin, '-X', 'PUT', ...json({ roles: ['editor'] }), record), 204);
  assert.equal(await write(), 204);
  assert.deepEqual(JSON.parse((await curl(...as(admin), record)).body).roles, ['editor']);
  const entry = { id: `/docs/e-${unique}`, sign: '-', permissions: 'w' };
  assert.equal(await status(admin, '-X', 'POST', ...json({ roles: ['editor'], paths: [entry] }), record), 204);
  assert.equal(await write(), 403, 'an entry that keeps out wins');
  assert.equal(await status(admin, '-X', 'PUT', ...json({ roles: [] }), record), 204);
  assert.equal(await write(), 403);
  for (const wrong of ['{', '[]', JSON.stringify({ paths: [{ id: 'x', sign: '+', permissions: 'r' }] }), JSON.stringify({ roles: ['$owner'] })]) {
    assert.equal(await status(admin, '-X', 'PUT', '-H', 'Content-Type: application/json', '--data', wrong, record), 400, wrong);
  }
  assert.equal(await status(admin, '-X', 'PUT', ...json({}), `${BASE_URL}/meta/auth/users/nobody-${unique}`), 404);
});

rule('the administrator sets the password whose hash was made', async () => {
  const name = `forgetful-${unique}`;
  await signUp(name);
  const [user, admin] = [await tokenOf(name, PASSWORD), await tokenOf('myUser', 'myPassword')];
  const made = await curl(...as(admin), '-X', 'POST', `${BASE_URL}/_auth?op=generate-password`);
  const { password, encrypted } = JSON.parse(made.body);
  const set = json({ op: 'set-password', user: name, encrypted });
  assert.equal(await status(user, ...set, `${BASE_URL}/_auth`), 401);
  assert.equal(await status(admin, ...set, `${BASE_URL}/_auth`), 200);
  assert.equal(await status(user, `${BASE_URL}/me`), 401);
  assert.equal(await status(undefined, '-u', `${name}:${PASSWORD}`, `${BASE_URL}/_login`), 401);
  assert.ok(await tokenOf(name, password));
});

rule('a name with a colon is refused when it is chosen', async () => {
  const body = { email: `${randomUUID()}@example.com`, username: `a:${unique}`, password: PASSWORD };
  assert.equal(await status(undefined, ...json(body), `${BASE_URL}/api/users`), 422);
});

for (const exp of ['1d%00', '1d;', '%001d', '1d%0a%00']) {
  rule(`exp=${exp} is a bad request`, async () => {
    assert.equal(await status(undefined, '-u', 'myUser:myPassword', `${BASE_URL}/_login?exp=${exp}`), 400);
  });
}
