// What makes the pages a little nicer. All of them work without it.
"use strict";

// A button beside each password that shows it.
for (const input of document.querySelectorAll("input[type=password][data-show]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "toggle";
  button.setAttribute("aria-controls", input.id);
  const label = (shown) => {
    button.textContent = shown ? input.dataset.hide : input.dataset.show;
    button.setAttribute("aria-label", shown ? input.dataset.hideLabel : input.dataset.showLabel);
  };
  button.addEventListener("click", () => {
    const shown = input.type === "password";
    input.type = shown ? "text" : "password";
    label(shown);
  });
  // What is sent is never a text field that the browser remembers.
  input.form.addEventListener("submit", () => { input.type = "password"; });
  label(false);
  input.after(button);
  input.parentElement.classList.add("with-toggle");
}

// Times as the visitor's clock has them.
for (const time of document.querySelectorAll("time[datetime]")) {
  const date = new Date(time.dateTime);
  if (!Number.isNaN(date.getTime())) {
    time.title = time.textContent;
    time.textContent = date.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  }
}

// A form is sent once, however often its button is pressed. A page from the back button can be sent again.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// Who made a mistake hears of it first.
document.getElementById("error-summary")?.focus();
