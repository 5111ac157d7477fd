// `lbServices`, which `loopback-sdk-angular` generates for AngularJS, in a page with the real `angular`.

import { Script } from 'node:vm';
import { services } from 'loopback-sdk-angular';
import app from './loopback-app.cjs';
import { installed, openPage } from './page.mjs';
import { BASE_URL } from './support.mjs';

// It warns that it leaves out what leads to AccessToken, which no project makes public.
const generated = new Script(services(app, { ngModuleName: 'lbServices', apiUrl: BASE_URL }), {
  filename: 'lb-services.js',
});

/** A page whose app uses `lbServices`. `config` is one more function for AngularJS's configuration. */
export function openApp(t, { origin, config } = {}) {
  const scripts = [installed('angular/angular.js'), installed('angular-resource/angular-resource.js'), generated];
  const page = openPage(t, scripts, origin);
  /** Starts the app in the page, the second time as after a reload: only storage and cookies are left. */
  const start = () => {
    const { angular, document } = page.window;
    const injector = angular.bootstrap(document.createElement('div'), config ? ['lbServices', config] : ['lbServices']);
    return { page, start, User: injector.get('User'), LoopBackAuth: injector.get('LoopBackAuth') };
  };
  return start();
}
