// Wix's own SDK, as npm has it: what an app without a page of Wix's calls to let members in.
//
// Each test has its own members, so tests depend on no order.

import assert from 'node:assert/strict';
import {
  CLIENT_ID, MEMBER, NEW_PASSWORD, assertFailed, assertFourHours, assertSession, freshEmail, login, now, register, rule,
  sdk, sent, thrown,
} from './support.mjs';

// --- Visitors --------------------------------------------------------------------------------------------------

rule('a visitor gets tokens, and every call brings the access token, bare', async () => {
  const client = sdk();
  const from = sent.length;
  const begun = now();
  await login(freshEmail(), MEMBER.password, client);
  const [first, second] = sent.slice(from);
  assert.deepEqual([first.path, first.body], ['/oauth2/token', { clientId: CLIENT_ID, grantType: 'anonymous' }]);
  assert.equal(second.path, '/_api/iam/authentication/v2/login');
  const tokens = client.auth.getTokens();
  assert.equal(second.headers.authorization, tokens.accessToken.value);
  assert.equal(tokens.refreshToken.role, 'visitor');
  assertFourHours(tokens.accessToken, begun);
  assert.equal(client.auth.loggedIn(), false);
});

rule('a visitor whose access token has ended gets another with the refresh token', async () => {
  const { auth } = sdk();
  const tokens = await auth.generateVisitorTokens();
  const from = sent.length;
  const renewed = await auth.generateVisitorTokens({ ...tokens, accessToken: { ...tokens.accessToken, expiresAt: 1 } });
  assert.deepEqual(sent.slice(from).map(({ body }) => body.grantType), ['refresh_token']);
  assert.notEqual(renewed.accessToken.value, '');
  // The SDK keeps the refresh token that it has.
  assert.deepEqual(renewed.refreshToken, tokens.refreshToken);
});

rule('a client that is not known gets no tokens', async () => {
  await assert.rejects(sdk({ clientId: 'somebody else' }).auth.generateVisitorTokens(), /invalid_client/);
});

// --- Login -------------------------------------------------------------------------------------------------------

rule('a member logs in', async () => {
  assertSession(await login(MEMBER.email));
});

rule('a wrong password and an unknown address are refused alike', async () => {
  const wrong = await login(MEMBER.email, NEW_PASSWORD);
  assertFailed(wrong, 'invalidPassword');
  assert.deepEqual(await login(freshEmail()), wrong);
});

rule('nothing that is no address logs in', async () => {
  for (const email of ['', 'nobody', 'a@', 'x'.repeat(2000)]) {
    assert.equal((await login(email)).loginState, 'FAILURE', email);
  }
});

// --- Registration --------------------------------------------------------------------------------------------------

rule('who registers is logged in', async () => {
  const email = freshEmail();
  assertSession(await register(email, MEMBER.password, { nickname: 'Ada', privacyStatus: 'PUBLIC', firstName: 'Ada' }));
  assertSession(await login(email));
});

rule('an address that is taken is refused', async () => {
  assertFailed(await register(MEMBER.email), 'emailAlreadyExists');
});

rule('what is no address is refused as that', async () => {
  assertFailed(await register('nobody'), 'invalidEmail');
});

rule('a password that is too short is refused', async () => {
  const refused = await register(freshEmail(), 'short');
  assertFailed(refused, undefined);
  assert.match(refused.error, /password/i);
});

// --- A lost password ---------------------------------------------------------------------------------------------------

rule('an unknown address is answered as a known one', async () => {
  const { auth } = sdk();
  assert.equal(await auth.sendPasswordResetEmail(freshEmail(), process.env.BASE_URL), undefined);
  assert.equal(await auth.sendPasswordResetEmail(MEMBER.email, process.env.BASE_URL), undefined);
});

rule('nobody is sent to a site that is not listed', async () => {
  const { auth } = sdk();
  await assert.rejects(auth.sendPasswordResetEmail(MEMBER.email, 'https://evil.example/'), thrown('INVALID_REDIRECT'));
  await assert.rejects(auth.logout('https://evil.example/'), thrown('INVALID_REDIRECT'));
});
