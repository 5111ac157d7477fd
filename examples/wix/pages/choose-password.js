// Where the link in the mail leads: /choose-password?token=…. Older mails have the token behind a #, of which some mail gateways make %23.

const read = (text) => new URLSearchParams(text.slice(1)).get('token');
const token = read(location.search) ?? read(location.hash) ?? '';
history.replaceState(null, '', location.pathname);

const form = document.getElementById('choose');
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const message = document.getElementById('message');
  const response = await fetch('/wix/set-password', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ token, password: form.elements.password.value }),
  });
  if (response.ok) {
    form.hidden = true;
    message.textContent = 'Your password is changed.';
  } else {
    message.textContent = (await response.json()).message;
  }
});
