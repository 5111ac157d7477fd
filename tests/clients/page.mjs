// A browser's page for the generated clients, which are made for browsers: jsdom with scripts, storage and cookies.
//
// What the page sends is written down, so that a test can say what a client depends on.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Script } from 'node:vm';
import { JSDOM, VirtualConsole } from 'jsdom';
import { BASE_URL } from './support.mjs';

const require = createRequire(import.meta.url);

/** Where a page must be from, so that the server is no foreign one to it. */
export const ORIGIN = new URL(BASE_URL).origin;
/** Where a page may also be from. The server is foreign to it, so the browser asks by CORS. */
export const OTHER_ORIGIN = 'http://app.example.com';

/** Scripts are read and compiled once; a page only runs them. */
const compiled = new Map();

/** The file of an installed package as a script, e.g. `angular/angular.js`. */
export function installed(file) {
  if (!compiled.has(file)) {
    const path = require.resolve(file);
    compiled.set(file, new Script(readFileSync(path, 'utf8'), { filename: path }));
  }
  return compiled.get(file);
}

/** An empty page that has run the scripts given. It ends with the test `t`. */
export function openPage(t, scripts, origin = ORIGIN) {
  const virtualConsole = new VirtualConsole();
  // The clients' chatter is dropped; an error nobody caught is not.
  virtualConsole.on('jsdomError', (error) => console.error(error.message));
  const dom = new JSDOM('<!doctype html><title>App</title>', {
    url: `${origin}/`, runScripts: 'outside-only', virtualConsole,
  });
  t.after(() => dom.window.close());

  const context = dom.getInternalVMContext();
  const run = (script) => (typeof script === 'string' ? new Script(script) : script).runInContext(context);
  const exchanges = writeDown(dom.window.XMLHttpRequest.prototype);
  scripts.forEach(run);
  return {
    run,
    window: dom.window,
    /** Cookies as the browser keeps them, that is with their end. */
    cookies: () => dom.cookieJar.getCookiesSync(origin),
    /** The last request with its answer: `method`, `url`, `headers` in lower case, `body`, `status`, `text`. */
    last: () => exchanges.at(-1),
    exchanges,
  };
}

function writeDown(xhr) {
  const exchanges = [];
  const current = new WeakMap();
  const { open, setRequestHeader, send } = xhr;
  xhr.open = function (method, url, ...rest) {
    current.set(this, { method, url: new URL(url, ORIGIN), headers: {} });
    return open.call(this, method, url, ...rest);
  };
  xhr.setRequestHeader = function (name, value) {
    current.get(this).headers[name.toLowerCase()] = value;
    return setRequestHeader.call(this, name, value);
  };
  xhr.send = function (body) {
    const exchange = current.get(this);
    // A browser sends no body with GET, whatever it is given.
    exchange.body = exchange.method === 'GET' ? null : body ?? null;
    exchanges.push(exchange);
    // Not `load`: Angular aborts a request once it has the answer, which takes the status away.
    this.addEventListener('readystatechange', () => {
      if (this.readyState === this.DONE && this.status !== 0) {
        exchange.status = this.status;
        exchange.text = this.responseText;
      }
    });
    return send.call(this, body);
  };
  return exchanges;
}

/** A page's object as one of Node's: only those are deeply equal to what a test writes. */
export const plain = (value) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));
