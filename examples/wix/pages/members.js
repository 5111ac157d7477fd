// What the page of a site with members does: it logs in, gets a session token, and applies it.

const element = (id) => document.getElementById(id);
const say = (text) => { element('message').textContent = text; };

/** A call of the members' routes. What it answers, or an error that says what was wrong. */
async function call(method, path, body) {
  const response = await fetch(`/wix/${path}`, {
    method,
    headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  const answer = text === '' ? {} : JSON.parse(text);
  if (!response.ok) throw new Error(answer.message ?? response.statusText);
  return answer;
}

/** Shows who is logged in, or the form. */
async function show() {
  const response = await fetch('/me');
  const loggedIn = response.ok;
  if (loggedIn) {
    const member = await response.json();
    element('who').textContent = `Welcome, ${member.email}`;
    element('me').textContent = JSON.stringify(member, null, 2);
  }
  element('member').hidden = !loggedIn;
  element('login').hidden = loggedIn;
}

element('login').addEventListener('submit', async (event) => {
  event.preventDefault();
  say('');
  try {
    const { sessionToken } = await call('POST', 'login', {
      email: element('email').value,
      password: element('password').value,
    });
    // The token is as good as the password for two minutes, and works once. The browser gets a cookie that no script can read.
    await call('POST', 'apply-session-token', { sessionToken });
    element('login').reset();
    await show();
  } catch (error) {
    say(`You are not logged in: ${error.message}.`);
  }
});

element('logout').addEventListener('click', async () => {
  try {
    await call('POST', 'logout');
    say('You are logged out.');
    await show();
  } catch (error) {
    say(`You are still logged in: ${error.message}.`);
  }
});

element('forgot').addEventListener('click', async () => {
  try {
    await call('POST', 'send-set-password-email', { email: element('email').value });
    say('If there is a member with this address, a mail is on its way to it.');
  } catch (error) {
    say(error.message);
  }
});

await show();
