// LoopBack's own client for LoopBack servers: an app whose User model lives on another server.
//
// Each test is a new client app with its own user, so tests depend on no order. Models belong to the app
// (localRegistry), because the credentials of this connector are a property of the data source.

import assert from 'node:assert/strict';
import test from 'node:test';
import loopback from 'loopback';
import remoteConnector from 'loopback-connector-remote';
import { BASE_URL, NEW_PASSWORD, PASSWORD, TIMEOUT, assertToken, freshEmail } from './support.mjs';

/** A client app with `Account`, a model based on the built-in User, attached to the server under test. */
function connect() {
  const { registry, dataSource, app } = clientApp();
  const Account = registry.createModel('Account', {}, { base: 'User', http: { path: '/Users' } });
  app.model(Account, { dataSource: 'remote', public: false });
  return { Account, ...transport(dataSource) };
}

function clientApp() {
  const app = loopback({ localRegistry: true, loadBuiltinModels: true });
  const dataSource = app.dataSource('remote', {
    connector: remoteConnector,
    url: BASE_URL,
    // Lets a call name its token as `options.accessToken`. Credentials set on `remotes.auth` go first.
    options: { rest: { passAccessToken: true } },
  });
  app.model(app.registry.getModel('AccessToken'), { dataSource: 'remote', public: false });
  return { app, dataSource, registry: app.registry };
}

/** The connector's strong-remoting objects, and the HTTP answer to the last successful call. */
function transport(dataSource) {
  const { remotes } = dataSource.connector;
  const last = {};
  remotes.before('**', (ctx, next) => {
    ctx.req.timeout = TIMEOUT;
    next();
  });
  remotes.after('**', (ctx, next) => {
    last.response = ctx.res;
    next();
  });
  return { remotes, last };
}

/** A client app whose user exists and has logged in; the token is returned, not used. */
async function loggedIn() {
  const client = connect();
  const email = freshEmail();
  const user = await client.Account.create({ email, password: PASSWORD });
  const token = await client.Account.login({ email, password: PASSWORD });
  return { ...client, email, user, token };
}

const rule = (name, check) => test(name, { timeout: TIMEOUT }, check);

const loginFailed = { statusCode: 401, code: 'LOGIN_FAILED' };
const authorizationRequired = { statusCode: 401, code: 'AUTHORIZATION_REQUIRED' };

rule('create answers id and email and never the password', async () => {
  const { Account, last } = connect();
  const email = freshEmail();
  const user = await Account.create({ email, password: PASSWORD });

  assert.ok(user instanceof Account);
  assert.equal(user.email, email);
  assert.ok(['number', 'string'].includes(typeof user.id));
  assert.equal(user.password, undefined);
  assert.equal(last.response.statusCode, 200);
  assert.deepEqual(Object.keys(last.response.body).filter((key) => /password/i.test(key)), []);
  assert.doesNotMatch(JSON.stringify(last.response.body), /correct horse|\$2[aby]\$|\$argon2/);
});

rule('login answers a token of 64 characters, two weeks of ttl, created and userId', async () => {
  const { Account } = connect();
  const email = freshEmail();
  const user = await Account.create({ email, password: PASSWORD });
  const token = await Account.login({ email, password: PASSWORD });

  assertToken(token, user.id);
  assert.equal(token.user, undefined);
});

rule('login with include=user adds the user without the password', async () => {
  const { Account } = connect();
  const email = freshEmail();
  const user = await Account.create({ email, password: PASSWORD });
  // This connector sends `?include%5B0%5D=user`; it drops an include that is not an array.
  const token = await Account.login({ email, password: PASSWORD }, ['user']);

  assertToken(token, user.id);
  assert.equal(token.user.email, email);
  assert.equal(token.user.id, user.id);
  assert.equal(token.user.password, undefined);
});

// Every way the packages offer to send a token. `use` sets it up and returns the options of the call.
const waysToSendToken = {
  'remotes.auth.accessToken (Authorization: <id>)': ({ remotes, token }) => {
    remotes.auth = { accessToken: token };
  },
  'remotes.auth.bearer, as its README says (Authorization: Bearer <base64 of id>)': ({ remotes, token }) => {
    remotes.auth = { bearer: Buffer.from(token.id).toString('base64'), sendImmediately: true };
  },
  'options.accessToken of the call (Authorization: <id>)': ({ token }) => ({ accessToken: token }),
  'a before hook that sets a header (X-Access-Token: <id>)': ({ remotes, token }) => {
    remotes.before('**', (ctx, next) => {
      ctx.req.headers = { ...ctx.req.headers, 'X-Access-Token': token.id };
      next();
    });
  },
};

for (const [way, use] of Object.entries(waysToSendToken)) {
  rule(`a user reads itself with the token sent by ${way}`, async () => {
    const client = await loggedIn();
    const options = use(client);
    // `{}` travels as `?filter=%7B%7D`.
    const self = await client.Account.findById(client.user.id, {}, options);

    assert.ok(self instanceof client.Account);
    assert.equal(self.id, client.user.id);
    assert.equal(self.email, client.email);
    assert.equal(self.password, undefined);
  });
}

rule('reading a user without a token is refused', async () => {
  const { Account, user } = await loggedIn();
  await assert.rejects(Account.findById(user.id), authorizationRequired);
});

rule('reading another user is refused', async () => {
  const { Account, remotes, token } = await loggedIn();
  const other = await Account.create({ email: freshEmail(), password: PASSWORD });
  remotes.auth = { accessToken: token };
  await assert.rejects(Account.findById(other.id), authorizationRequired);
});

rule('login with a bad password is refused', async () => {
  const { Account } = connect();
  const email = freshEmail();
  await Account.create({ email, password: PASSWORD });
  await assert.rejects(Account.login({ email, password: NEW_PASSWORD }), loginFailed);
});

rule('login of an unknown user is refused like a bad password', async () => {
  const { Account } = connect();
  await assert.rejects(Account.login({ email: freshEmail(), password: PASSWORD }), loginFailed);
});

rule('after change-password the new password logs in and the old one is refused', async () => {
  const { Account, remotes, last, email, user, token } = await loggedIn();
  remotes.auth = { accessToken: token };
  // The first argument is the user id, which the server takes from the token and the connector does not send.
  await Account.changePassword(undefined, PASSWORD, NEW_PASSWORD);
  assert.equal(last.response.statusCode, 204);

  remotes.auth = undefined;
  await assert.rejects(Account.login({ email, password: PASSWORD }), loginFailed);
  assertToken(await Account.login({ email, password: NEW_PASSWORD }), user.id);
});

rule('change-password with a wrong current password is refused and changes nothing', async () => {
  const { Account, remotes, email, user, token } = await loggedIn();
  remotes.auth = { accessToken: token };
  await assert.rejects(Account.changePassword(undefined, `${PASSWORD}x`, NEW_PASSWORD), {
    statusCode: 400,
    code: 'INVALID_PASSWORD',
  });

  remotes.auth = undefined;
  assertToken(await Account.login({ email, password: PASSWORD }), user.id);
});

rule('logout answers 204', async () => {
  const { Account, remotes, last, token } = await loggedIn();
  remotes.auth = { accessToken: token };
  await Account.logout();
  assert.equal(last.response.statusCode, 204);
});

rule('a dead token reads nothing', async () => {
  const { Account, remotes, user, token } = await loggedIn();
  remotes.auth = { accessToken: token };
  await Account.logout();
  await assert.rejects(Account.findById(user.id), authorizationRequired);
});

rule('a dead token cannot log out again', async () => {
  const { Account, remotes, token } = await loggedIn();
  remotes.auth = { accessToken: token };
  await Account.logout();
  await assert.rejects(Account.logout(), (error) => {
    assert.equal(error.statusCode, 401);
    assert.equal(error.message, 'accessToken is required to logout');
    assert.equal(error.code, undefined);
    return true;
  });
});

rule('logout kills the presented token and leaves the others', async () => {
  const { Account, remotes, email, user, token } = await loggedIn();
  const other = await Account.login({ email, password: PASSWORD });
  remotes.auth = { accessToken: token };
  await Account.logout();

  remotes.auth = { accessToken: other };
  assert.equal((await Account.findById(user.id)).id, user.id);
});

rule('the built-in User, attached as it is, makes the whole trip', async () => {
  const { app, dataSource, registry } = clientApp();
  const User = registry.getModel('User');
  app.model(User, { dataSource: 'remote', public: false });
  const { remotes, last } = transport(dataSource);

  const email = freshEmail();
  const user = await User.create({ email, password: PASSWORD });
  const token = await User.login({ email, password: PASSWORD }, ['user']);
  assertToken(token, user.id);

  remotes.auth = { accessToken: token };
  assert.equal((await User.findById(token.userId)).email, email);
  await User.logout();
  assert.equal(last.response.statusCode, 204);
  await assert.rejects(User.findById(token.userId), authorizationRequired);
});
