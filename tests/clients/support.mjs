// What both clients share: where the server is, fresh users, and what a LoopBack answer looks like.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

/** REST root under which `/Users` lives, without a trailing slash. */
export const BASE_URL = (process.env.BASE_URL ?? '').replace(/\/+$/, '');
if (!/^https?:\/\//.test(BASE_URL)) {
  throw new Error('Set BASE_URL to the REST root, e.g. BASE_URL=http://127.0.0.1:3000/api');
}

/** Set when the server is LoopBack 3.28.0 itself, which lacks what Gatekit adds. */
export const REFERENCE = Boolean(process.env.REFERENCE);

/** Milliseconds after which a hanging server fails one test. */
export const TIMEOUT = 30_000;

// At least 15 characters and on no list of common ones; at most 72 bytes, LoopBack's limit.
export const PASSWORD = 'correct horse battery staple 7';
export const NEW_PASSWORD = 'wrong giraffe charger paperclip 8';

/** An address nobody has used, so that runs can share one database. */
export const freshEmail = () => `client-${randomUUID()}@example.com`;

/** LoopBack's AccessToken as JSON: 64 characters, two weeks in seconds, a date with milliseconds in UTC. */
export function assertToken(token, userId) {
  assert.match(token.id, /^[A-Za-z0-9]{64}$/);
  assert.equal(token.ttl, 1_209_600);
  assert.match(token.created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.equal(token.userId, userId);
}
