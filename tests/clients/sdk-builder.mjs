// The SDK which `@mean-expert/loopback-sdk-builder` generates for Angular, compiled, in a page with the real Angular.
//
// The page loads Angular's bundles and the SDK's files much as SystemJS did; there Angular compiles the SDK's module.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, posix, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import typescript from 'typescript';
import { installed, openPage } from './page.mjs';
import { BASE_URL } from './support.mjs';

const require = createRequire(import.meta.url);

const BUNDLES = [
  'reflect-metadata/Reflect.js',
  'zone.js/dist/zone.js',
  'rxjs/bundles/rxjs.umd.js',
  '@angular/core/bundles/core.umd.js',
  '@angular/common/bundles/common.umd.js',
  '@angular/common/bundles/common-http.umd.js',
  '@angular/compiler/bundles/compiler.umd.js',
  '@angular/platform-browser/bundles/platform-browser.umd.js',
  '@angular/platform-browser-dynamic/bundles/platform-browser-dynamic.umd.js',
];

/** What the SDK imports from packages, under the names the bundles give it. */
const packages = ({ ng, rxjs }) => ({
  '@angular/core': ng.core,
  '@angular/common': ng.common,
  '@angular/common/http': ng.common.http,
  rxjs,
  'rxjs/operators': rxjs.operators,
});

const sdkFiles = compile(generate());

/** The SDK's TypeScript by file name, e.g. `services/custom/User.ts`. */
function generate() {
  const folder = mkdtempSync(join(tmpdir(), 'gatekit-sdk-'));
  try {
    const builder = require.resolve('@mean-expert/loopback-sdk-builder/package.json');
    // Without sockets (`-i`): FireLoop needs its own server.
    execFileSync(process.execPath, [
      join(builder, '../bin/lb-sdk'), fileURLToPath(new URL('loopback-app.cjs', import.meta.url)), folder,
      '-l', 'angular2', '-d', 'ng2web', '-i', 'disabled', '-q',
    ], { stdio: ['ignore', 'ignore', 'pipe'] });
    const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.ts'));
    return new Map(files.map((file) => [file.split(sep).join('/'), readFileSync(join(folder, file), 'utf8')]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Each file as a script that is a function of `exports` and `require`, compiled with Angular 6's own settings. */
function compile(files) {
  const { ModuleKind, ScriptTarget, transpileModule } = typescript;
  const compilerOptions = {
    target: ScriptTarget.ES5, module: ModuleKind.CommonJS,
    experimentalDecorators: true, emitDecoratorMetadata: true,
  };
  return new Map([...files].map(([file, source]) => {
    const { outputText } = transpileModule(source, { compilerOptions, fileName: file });
    return [file, new Script(`(function (exports, require) {${outputText}\n})`, { filename: `sdk/${file}` })];
  }));
}

/** The SDK's exports in a page. */
function load(page) {
  const libraries = packages(page.window);
  const loaded = new Map();
  const loadFile = (file) => {
    if (!loaded.has(file)) {
      const exports = {};
      loaded.set(file, exports);
      page.run(sdkFiles.get(file))(exports, (name) => (
        name.startsWith('.') ? loadFile(resolve(file, name)) : libraries[name]
      ));
    }
    return loaded.get(file);
  };
  return loadFile('index.ts');
}

function resolve(file, name) {
  const path = posix.join(posix.dirname(file), name);
  return [`${path}.ts`, `${path}/index.ts`].find((candidate) => sdkFiles.has(candidate));
}

/**
 * A page whose app imports `SDKBrowserModule`. `storage` names the SDK's class for what it remembers: `CookieBrowser`,
 * its default, or `StorageBrowser`. `configure` may change `LoopBackConfig`.
 */
export async function openApp(t, { origin, storage, configure } = {}) {
  const page = openPage(t, BUNDLES.map(installed), origin);
  const { ng } = page.window;
  const sdk = load(page);
  const base = new URL(BASE_URL);
  sdk.LoopBackConfig.setBaseURL(base.origin);
  sdk.LoopBackConfig.setApiVersion(base.pathname.slice(1));
  configure?.(sdk.LoopBackConfig);

  const provider = storage && { provide: sdk.InternalStorage, useClass: sdk[storage] };
  const imports = [ng.platformBrowser.BrowserModule, sdk.SDKBrowserModule.forRoot(provider)];
  const platform = ng.platformBrowserDynamic.platformBrowserDynamic();
  /** Starts the app in the page, the second time as after a reload: only storage and cookies are left. */
  const start = async () => {
    const App = ng.core.NgModule({ imports })(page.run('(class App { ngDoBootstrap() {} })'));
    const { injector } = await platform.bootstrapModule(App);
    return { page, sdk, start, users: injector.get(sdk.UserApi), auth: injector.get(sdk.LoopBackAuth) };
  };
  return start();
}
