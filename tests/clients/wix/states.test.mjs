// Members in every state, and lost passwords, as Wix's own SDK sees them. Each test has a server of its own: what the owner
// does, and what stands in mails, is the server's.

import assert from 'node:assert/strict';
import {
  MEMBER, NEW_PASSWORD, assertFailed, assertSession, freshEmail, login, owner, post, register, request, rule, sdk, server, thrown,
} from './support.mjs';

// --- States of a member ----------------------------------------------------------------------------------------------

rule('a blocked member is refused, and only its own password tells that it is blocked', async (t) => {
  await server(t, {});
  const email = freshEmail();
  assertSession(await register(email));
  await owner('block', { email });
  const wrong = await login(email, NEW_PASSWORD);
  assertFailed(wrong, 'invalidPassword');
  assert.deepEqual(await login(freshEmail()), wrong);
  const blocked = await login(email);
  assertFailed(blocked, 'invalidEmail');
  assert.match(blocked.error, /-19956/);
  await owner('approve', { email });
  assertSession(await login(email));
});

rule('a member that waits to be approved is told so, and logs in afterwards', async (t) => {
  await server(t, { APPROVAL: 'manual' });
  const email = freshEmail();
  assert.deepEqual(await register(email), { loginState: 'OWNER_APPROVAL_REQUIRED' });
  assertFailed(await login(email, NEW_PASSWORD), 'invalidPassword');
  assert.deepEqual(await login(email), { loginState: 'OWNER_APPROVAL_REQUIRED' });
  await owner('approve', { email });
  assertSession(await login(email));
});

rule('the owner is told who waits, and the member that it was approved of', async (t) => {
  const { line, url } = await server(t, { APPROVAL: 'manual', OWNER_EMAIL: 'owner@example.com' });
  const email = freshEmail();
  await register(email);
  assert.deepEqual((await owner('pending', {})).members.map(({ loginEmail }) => loginEmail), [email]);
  const link = await line((text) => /(http\S+\/approve\?token=\S+)/.exec(text)?.[1]);
  assert.ok(link.startsWith(`${url}/approve?token=`), link);
  // The page says it by a POST. To load it changes nothing.
  assert.equal((await request('GET', link)).status, 200);
  assert.deepEqual(await login(email), { loginState: 'OWNER_APPROVAL_REQUIRED' });
  const approved = await post('/owner/approve-by-token', { token: link.split('token=')[1] });
  assert.equal(approved.status, 200, approved.text);
  await line((text) => (text.includes('was approved') ? true : undefined));
  assertSession(await login(email));
  assert.deepEqual((await owner('pending', {})).members, []);
});

rule('a member whose password the owner has reset must choose a new one', async (t) => {
  const { line } = await server(t, {});
  const email = freshEmail();
  assertSession(await register(email));
  await owner('reset-password', { email });
  const reset = await login(email);
  assertFailed(reset, 'resetPassword');
  assert.match(reset.error, /-19973/);
  assertFailed(await login(email, NEW_PASSWORD), 'invalidPassword');
  const token = await line((text) => /\btoken=([A-Za-z0-9]{64})/.exec(text)?.[1]);
  const chosen = await post('/wix/set-password', { token, password: NEW_PASSWORD });
  assert.equal(chosen.status, 204, chosen.text);
  assertSession(await login(email, NEW_PASSWORD));
});

rule('a member proves its address with the code from the mail', async (t) => {
  const { code } = await server(t, { EMAIL_VERIFICATION: '1' });
  const { auth } = sdk();
  const email = freshEmail();
  const state = await auth.register({ email, password: MEMBER.password });
  assert.equal(state.loginState, 'EMAIL_VERIFICATION_REQUIRED', JSON.stringify(state));
  const right = await code(email);
  const wrong = right === '123456' ? '654321' : '123456';
  await assert.rejects(auth.processVerification({ verificationCode: wrong }), thrown('VERIFICATION_FAILED'));
  assertSession(await auth.processVerification({ verificationCode: right }));
  // It works once.
  await assert.rejects(auth.processVerification({ verificationCode: right }, state), thrown('VERIFICATION_FAILED'));
  assertSession(await login(email));
});

rule('who comes back before the address is proven gets another code', async (t) => {
  const { code, mark } = await server(t, { EMAIL_VERIFICATION: '1' });
  const email = freshEmail();
  await register(email);
  await code(email);
  const from = mark();
  const { auth } = sdk();
  const state = await auth.login({ email, password: MEMBER.password });
  assert.equal(state.loginState, 'EMAIL_VERIFICATION_REQUIRED', JSON.stringify(state));
  assertSession(await auth.processVerification({ code: await code(email, from) }, state));
});

rule('five wrong codes end it, also for the right one', async (t) => {
  const { code } = await server(t, { EMAIL_VERIFICATION: '1' });
  const { auth } = sdk();
  const email = freshEmail();
  await auth.register({ email, password: MEMBER.password });
  const right = await code(email);
  for (let tries = 0; tries < 5; tries += 1) {
    const wrong = String(100_000 + ((Number(right) - 100_000 + 1 + tries) % 900_000));
    await assert.rejects(auth.processVerification({ code: wrong }), thrown('VERIFICATION_FAILED'));
  }
  await assert.rejects(auth.processVerification({ code: right }), thrown('VERIFICATION_FAILED'));
});

rule('where addresses are proven, a taken address looks like a new one', async (t) => {
  const { code } = await server(t, { EMAIL_VERIFICATION: '1' });
  const email = freshEmail();
  const { auth } = sdk();
  const first = await auth.register({ email, password: MEMBER.password });
  assertSession(await auth.processVerification({ code: await code(email) }, first));
  const again = await auth.register({ email, password: NEW_PASSWORD });
  assert.equal(again.loginState, 'EMAIL_VERIFICATION_REQUIRED', JSON.stringify(again));
  assert.equal(again.data.stateToken.length, first.data.stateToken.length);
  // The password of who was there first is what it was.
  assertFailed(await login(email, NEW_PASSWORD), 'invalidPassword');
  assertSession(await login(email));
});

// --- A lost password ---------------------------------------------------------------------------------------------------

rule('a lost password is replaced with the secret from the mail', async (t) => {
  const { line, url } = await server(t, {});
  const email = freshEmail();
  const session = assertSession(await register(email));
  const client = sdk();
  await client.auth.sendPasswordResetEmail(email, `${url}/after-reset`);
  const token = await line((text) => /\btoken=([A-Za-z0-9]{64})/.exec(text)?.[1]);
  const recovered = await client.recovery.recover(token, { password: NEW_PASSWORD });
  assert.equal(recovered.state, 'SUCCESS');
  assertSession({ loginState: 'SUCCESS', data: recovered });
  assertFailed(await login(email), 'invalidPassword');
  assertSession(await login(email, NEW_PASSWORD));
  await assert.rejects(client.recovery.recover(token, { password: MEMBER.password }), thrown('-19972'));
  // What was there before the new password is worth nothing.
  const applied = await post('/wix/apply-session-token?cookie=false', { sessionToken: session });
  assert.equal(applied.status, 401, applied.text);
});
