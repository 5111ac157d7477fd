// A member's tokens in Wix's SDK: `getMemberTokensForDirectLogin` with its hidden frame, renewal, logout.
//
// The frame is a real one, in a page of jsdom; all else of the SDK runs in Node.

import assert from 'node:assert/strict';
import { authentication } from '@wix/identity';
import { createClient } from '@wix/sdk';
import { openPage } from './page.mjs';
import {
  BASE_URL, CLIENT_ID, MEMBER, NEW_PASSWORD, assertFourHours, freshEmail, me, now, post, request, rule, sdk, sent,
} from './support.mjs';

const ORIGIN = new URL(BASE_URL).origin;

/** A member who has just logged in, in a page of a listed origin. */
async function loggedIn(t, { email = MEMBER.email, origin = ORIGIN } = {}) {
  const page = openPage(t, origin);
  const { auth } = sdk();
  if (email !== MEMBER.email) {
    assert.equal((await auth.register({ email, password: MEMBER.password })).loginState, 'SUCCESS');
  }
  const session = await auth.login({ email, password: MEMBER.password });
  assert.equal(session.loginState, 'SUCCESS', JSON.stringify(session));
  const begun = now();
  const tokens = await auth.getMemberTokensForDirectLogin(session.data.sessionToken);
  assertFourHours(tokens.accessToken, begun);
  auth.setTokens(tokens);
  return { auth, tokens, page, session: session.data.sessionToken };
}

const refresh = (refreshToken) => post('/oauth2/token', { clientId: CLIENT_ID, grantType: 'refresh_token', refreshToken });

async function assertRefused(answer, error = 'invalid_grant') {
  assert.equal(answer.status, 400, answer.text);
  assert.equal(answer.json.error, error);
}

rule('a session token becomes tokens of the member', async (t) => {
  const { auth, tokens, page } = await loggedIn(t);
  assert.equal(tokens.refreshToken.role, 'member');
  assert.equal(auth.loggedIn(), true);
  const answer = await me(tokens.accessToken.value);
  assert.equal(answer.status, 200, answer.text);
  assert.match(answer.text, /user@example\.com/);
  // The page was told a code and the state it had asked with, and nothing else.
  assert.deepEqual(page.messages.map((message) => Object.keys(message).sort()), [['code', 'state']]);
  assert.deepEqual(page.errors, []);
});

rule('what is no member token does not open what is for members', async () => {
  const { auth } = sdk();
  const visitor = await auth.generateVisitorTokens();
  const { data } = await auth.login(MEMBER);
  for (const token of [visitor.accessToken.value, visitor.refreshToken.value, data.sessionToken]) {
    assert.equal((await me(token)).status, 401);
  }
});

rule('a session token works once', async (t) => {
  const { auth, session } = await loggedIn(t);
  await assert.rejects(auth.getMemberTokensForDirectLogin(session), (error) => {
    assert.equal(error.details.applicationError.code, '-19984');
    return true;
  });
});

rule('a page of an origin that is not listed is told nothing', async (t) => {
  const page = openPage(t, 'https://evil.example');
  const { auth } = sdk();
  const { data } = await auth.login(MEMBER);
  const from = sent.length;
  // It would wait for two minutes.
  auth.getMemberTokensForDirectLogin(data.sessionToken).catch(() => {});
  const frame = await new Promise((resolve) => {
    const seen = () => page.window.document.querySelector('iframe') ?? setTimeout(() => found(), 10);
    const found = () => { const it = seen(); if (it?.addEventListener) it.addEventListener('load', () => resolve(it)); };
    found();
  });
  // Messages are delivered as tasks: one that is sent after the frame's is delivered after it.
  await new Promise((resolve) => {
    page.window.addEventListener('message', ({ data: last }) => last === 'last' && resolve());
    page.window.postMessage('last', '*');
  });
  assert.deepEqual(page.messages, ['last']);
  assert.deepEqual(sent.slice(from).map(({ path }) => path), ['/_api/redirects-api/v1/redirect-session']);
  frame.remove();
});

// --- Codes -----------------------------------------------------------------------------------------------------

/** The code that a page would be told, with what was asked; by the SDK's other way, an address to go to. */
async function code() {
  const { auth } = sdk();
  const { data } = await auth.login(MEMBER);
  const oauth = auth.generateOAuthData(`${BASE_URL}/callback`);
  const { authUrl } = await auth.getAuthUrl(oauth, { prompt: 'none', sessionToken: data.sessionToken });
  const answer = await request('GET', authUrl);
  assert.equal(answer.status, 303, answer.text);
  const back = answer.headers.get('location');
  assert.ok(back.startsWith(`${BASE_URL}/callback#`), back);
  const parsed = auth.parseFromUrl(back);
  assert.equal(parsed.state, oauth.state);
  return { auth, oauth, ...parsed };
}

rule('a code in an address becomes tokens, once, and a second use ends them', async () => {
  const { auth, oauth, code: secret, state } = await code();
  const tokens = await auth.getMemberTokens(secret, state, oauth);
  assert.equal((await me(tokens.accessToken.value)).status, 200);
  await assert.rejects(auth.getMemberTokens(secret, state, oauth), /invalid_grant/);
  // RFC 6749, section 4.1.2.
  assert.equal((await me(tokens.accessToken.value)).status, 401);
  await assertRefused(await refresh(tokens.refreshToken.value));
});

rule('a code with another verifier is worth nothing', async () => {
  const { auth, oauth, code: secret, state } = await code();
  const theirs = auth.generateOAuthData(`${BASE_URL}/callback`);
  await assert.rejects(auth.getMemberTokens(secret, state, { ...theirs, state }), /invalid_grant/);
  // It was tried, so it is gone.
  await assert.rejects(auth.getMemberTokens(secret, state, oauth), /invalid_grant/);
});

rule('of many at the same time at most one gets tokens for a code, and they end', async () => {
  const { auth, oauth, code: secret, state } = await code();
  const all = await Promise.allSettled(Array.from({ length: 20 }, () => auth.getMemberTokens(secret, state, oauth)));
  const got = all.filter(({ status }) => status === 'fulfilled');
  assert.ok(got.length <= 1, `${got.length}`);
  for (const { value } of got) {
    assert.equal((await me(value.accessToken.value)).status, 401);
  }
});

// --- Renewal ---------------------------------------------------------------------------------------------------

rule('the SDK renews a member whose access token has ended', async (t) => {
  const { auth, tokens } = await loggedIn(t, { email: freshEmail() });
  auth.setTokens({ ...tokens, accessToken: { ...tokens.accessToken, expiresAt: 1 } });
  const { headers } = await auth.getAuthHeaders();
  assert.notEqual(headers.Authorization, tokens.accessToken.value);
  assert.equal(auth.loggedIn(), true);
  assert.equal((await me(headers.Authorization)).status, 200);
});

rule('two tabs of a member, and two calls of each, renew at the same time and stay logged in', async (t) => {
  const { tokens } = await loggedIn(t, { email: freshEmail() });
  const ended = { ...tokens, accessToken: { ...tokens.accessToken, expiresAt: 1 } };
  const tabs = [sdk(), sdk()];
  tabs.forEach(({ auth }) => auth.setTokens(ended));
  const all = await Promise.all(tabs.flatMap(({ auth }) => [auth.getAuthHeaders(), auth.getAuthHeaders()]));
  const sentTokens = new Set(all.map(({ headers }) => headers.Authorization));
  assert.equal(sentTokens.size, 1, 'all have the same access token');
  for (const { auth } of tabs) {
    assert.equal(auth.loggedIn(), true);
    assert.equal((await me((await auth.getAuthHeaders()).headers.Authorization)).status, 200);
  }
});

rule('a refresh token that comes back after the next one was used ends its family', async (t) => {
  const { tokens } = await loggedIn(t);
  const first = await refresh(tokens.refreshToken.value);
  const second = await refresh(first.json.refresh_token);
  assert.equal(second.status, 200, second.text);
  assert.equal(second.headers.get('cache-control'), 'no-store');
  assert.notEqual(second.json.refresh_token, tokens.refreshToken.value);
  await assertRefused(await refresh(tokens.refreshToken.value));
  await assertRefused(await refresh(second.json.refresh_token));
  assert.equal((await me(second.json.access_token)).status, 401);
});

rule('many at the same time get the same tokens for a refresh token', async (t) => {
  const { tokens } = await loggedIn(t);
  const all = await Promise.all(Array.from({ length: 20 }, () => refresh(tokens.refreshToken.value)));
  assert.deepEqual(new Set(all.map(({ status }) => status)), new Set([200]));
  assert.equal(new Set(all.map(({ json }) => `${json.access_token} ${json.refresh_token}`)).size, 1);
  assert.equal((await me(all[0].json.access_token)).status, 200);
});

// --- Logout ----------------------------------------------------------------------------------------------------

rule('a logout ends the tokens on the server and leads back', async (t) => {
  const { auth, tokens } = await loggedIn(t);
  const { logoutUrl } = await auth.logout(`${BASE_URL}/goodbye`);
  assert.equal(auth.loggedIn(), false);
  assert.equal((await me(tokens.accessToken.value)).status, 401);
  await assertRefused(await refresh(tokens.refreshToken.value));
  const back = await request('GET', logoutUrl);
  assert.equal(back.status, 303);
  assert.equal(back.headers.get('location'), `${BASE_URL}/goodbye`);
});

rule('a logout ends no other session of the member', async (t) => {
  const here = await loggedIn(t);
  const { auth, tokens: there } = await loggedIn(t);
  await here.auth.logout(`${BASE_URL}/`);
  assert.equal((await me(there.accessToken.value)).status, 200);
  assert.equal(auth.loggedIn(), true);
});

// --- A new password --------------------------------------------------------------------------------------------

rule('a member who has just logged in changes the password, and all its sessions end', async (t) => {
  const email = freshEmail();
  const { auth, tokens } = await loggedIn(t, { email });
  const member = createClient({ modules: { authentication }, auth });
  await assert.rejects(member.authentication.changePassword('short'));
  await member.authentication.changePassword(NEW_PASSWORD);
  assert.equal((await me(tokens.accessToken.value)).status, 401);
  await assertRefused(await refresh(tokens.refreshToken.value));
  assert.equal((await sdk().auth.login({ email, password: NEW_PASSWORD })).loginState, 'SUCCESS');
});

rule('a visitor changes nobody’s password', async () => {
  const visitor = createClient({ modules: { authentication }, auth: sdk().auth });
  await assert.rejects(visitor.authentication.changePassword(NEW_PASSWORD), (error) => {
    assert.equal(error.details.applicationError.code, '-19984');
    return true;
  });
});
