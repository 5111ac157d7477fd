// LoopBack's errors as it sends them, each inside `{ error }`.

const error = (statusCode, code, message, more) => ({
  statusCode, name: 'Error', message, ...(code && { code }), ...more,
});

export const LOGIN_FAILED = error(401, 'LOGIN_FAILED', 'login failed');
export const AUTHORIZATION_REQUIRED = error(401, 'AUTHORIZATION_REQUIRED', 'Authorization Required');
export const TOKEN_REQUIRED = error(401, undefined, 'accessToken is required to logout');
export const INVALID_PASSWORD = error(400, 'INVALID_PASSWORD', 'Invalid current password');
export const EMAIL_NOT_FOUND = error(404, 'EMAIL_NOT_FOUND', 'Email not found');
export const EMAIL_REQUIRED = error(400, 'EMAIL_REQUIRED', 'Email is required');

export const argumentRequired = (name) => error(400, undefined, `${name} is a required argument`);
export const invalidToken = (token) => error(400, 'INVALID_TOKEN', `Invalid token: ${token}`);
export const userNotFound = (id) => error(404, 'USER_NOT_FOUND', `User not found: ${id}`);
export const modelNotFound = (id) => error(404, 'MODEL_NOT_FOUND', `could not find a model with id ${id}`);

/** What one field's value breaks; clients look at `details.codes`. */
const invalid = (field, code, message, value) => ({
  statusCode: 422,
  name: 'ValidationError',
  message: `The \`User\` instance is not valid. Details: \`${field}\` ${message} (value: ${value}).`,
  details: { context: 'User', codes: { [field]: [code] }, messages: { [field]: [message] } },
});

/** A string as LoopBack quotes it: of one with more than 32 characters, the first 25 and the last 3. */
const quoted = (text) => JSON.stringify(text.length > 32 ? `${text.slice(0, 25)}...${text.slice(-3)}` : text);

export const emailTaken = (email) => invalid('email', 'uniqueness', 'Email already exists', quoted(email));
export const emailInvalid = (email) => invalid('email', 'custom.email', 'is invalid', quoted(email));
export const PASSWORD_BLANK = invalid('password', 'presence', "can't be blank", 'undefined');
