// Where the link in the mail leads: /choose-password#token=…. What is behind # is sent to no server and stands in no log.

const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
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
