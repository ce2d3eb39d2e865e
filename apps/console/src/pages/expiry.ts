/** For how long a new token or credential is valid: choices, in seconds. */
export const expiries = [
  ['3600', '1 hour'],
  ['86400', '1 day'],
  ['604800', '7 days'],
  ['2592000', '30 days'],
  ['7776000', '90 days'],
  ['31536000', '1 year'],
  ['', 'no expiry'],
] as const

/** Undefined: it does not expire. */
export const expirySeconds = (chosen: string): number | undefined =>
  chosen === '' ? undefined : Number(chosen)
