// Where the link in the owner's mail leads: /approve?token=…. Loading the page approves of nobody, because mail programs open links.

const token = new URLSearchParams(location.search).get('token') ?? '';
history.replaceState(null, '', location.pathname);

const form = document.getElementById('approve');
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const message = document.getElementById('message');
  const response = await fetch('/owner/approve-by-token', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ token }),
  });
  form.hidden = response.ok;
  message.textContent = response.ok ? 'The member is approved of, and is told by mail.' : (await response.json()).message;
});
