// A page in a browser for the SDK's direct login, which waits for the message of a hidden frame: jsdom, with scripts.

import { JSDOM, VirtualConsole } from 'jsdom';

// The SDK waits two minutes for its frame. A test that has seen what it wanted does not.
const { setTimeout } = globalThis;
globalThis.setTimeout = (run, milliseconds, ...rest) => {
  const timer = setTimeout(run, milliseconds, ...rest);
  return milliseconds >= 120_000 ? timer.unref() : timer;
};

/** Makes the globals `window` and `document` those of a page of `origin`, until the test `t` ends. */
export function openPage(t, origin) {
  const virtualConsole = new VirtualConsole();
  const errors = [];
  virtualConsole.on('jsdomError', (error) => errors.push(error.message));
  const dom = new JSDOM('<!doctype html><title>App</title><body></body>', {
    url: `${origin}/`, runScripts: 'dangerously', resources: 'usable', virtualConsole,
  });
  globalThis.window = dom.window;
  globalThis.document = dom.window.document;
  t.after(() => {
    delete globalThis.window;
    delete globalThis.document;
    dom.window.close();
  });
  const messages = [];
  dom.window.addEventListener('message', (event) => messages.push(event.data));
  return { window: dom.window, errors, messages };
}
