// The app both generators read: the built-in User, the models it needs and `enableAuth`, as generated projects have them.
// Nothing is served; it only says which methods there are. CommonJS, because `lb-sdk` loads it with `require`.

'use strict';

const loopback = require('loopback');

const app = loopback();
app.set('host', 'localhost');
app.set('port', 3000);
app.set('restApiRoot', '/api');
app.dataSource('db', { connector: 'memory' });
for (const name of ['AccessToken', 'ACL', 'Role', 'RoleMapping']) {
  app.model(app.registry.getModel(name), { dataSource: 'db', public: false });
}
app.model(app.registry.getModel('User'), { dataSource: 'db' });
app.enableAuth();
app.use('/api', loopback.rest());

// What loopback-boot does at its end; `lb-sdk` waits for it.
setImmediate(() => app.emit('booted'));

module.exports = app;
