/** The SASL messages of the mechanisms that the edge supports: parsing and printing. */

/** SASL mechanisms that the edge offers. */
export const mechanisms = ['PLAIN', 'LOGIN', 'XOAUTH2', 'OAUTHBEARER'] as const
export type Mechanism = (typeof mechanisms)[number]

export interface SaslIdentity {
  /** The user who logs in (authcid). */
  user: Buffer
  /** The user to act as; empty: `user` itself. */
  authzid: Buffer
  secret: Buffer
}

const empty = Buffer.alloc(0)

/** Decodes strict base64 (RFC 4648 4). Undefined: invalid. A single `=` is the empty message (RFC 4959). */
export function decodeBase64(text: string): Buffer | undefined {
  if (text === '=') return empty
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined
  return Buffer.from(text, 'base64')
}

/** RFC 4616: authzid NUL authcid NUL passwd. */
export function parsePlain(message: Buffer): SaslIdentity | undefined {
  const first = message.indexOf(0)
  const second = first < 0 ? -1 : message.indexOf(0, first + 1)
  if (second < 0 || message.indexOf(0, second + 1) >= 0) return undefined
  const user = message.subarray(first + 1, second)
  const secret = message.subarray(second + 1)
  if (user.length === 0 || secret.length === 0) return undefined
  return { authzid: message.subarray(0, first), user, secret }
}

export function printPlain(identity: SaslIdentity): Buffer {
  const nul = Buffer.from([0])
  return Buffer.concat([identity.authzid, nul, identity.user, nul, identity.secret])
}

/** `user=…^Aauth=Bearer …^A^A`. The server checks the token against the user. */
export function parseXoauth2(message: Buffer): SaslIdentity | undefined {
  const fields = keyValues(message.toString('latin1'))
  const user = fields?.get('user')
  const token = fields?.get('auth')
  if (!user || !token || !/^bearer /i.test(token)) return undefined
  return { user: Buffer.from(user, 'latin1'), authzid: empty, secret: message }
}

/** RFC 7628 3.1: a GS2 header with the user, then key=value pairs separated by ^A. */
export function parseOauthBearer(message: Buffer): SaslIdentity | undefined {
  const text = message.toString('latin1')
  const header = /^n,(?:a=([^,]*))?,\x01/.exec(text) // eslint-disable-line no-control-regex -- ^A separates
  if (!header) return undefined
  const token = keyValues(text.slice(header[0].length))?.get('auth')
  const user = (header[1] ?? '').replaceAll('=2C', ',').replaceAll('=3D', '=')
  if (!user || !token || !/^bearer /i.test(token)) return undefined
  return { user: Buffer.from(user, 'latin1'), authzid: empty, secret: message }
}

/** Undefined: a name occurs twice. The server might use the other value, and log in another user than the edge assumes. */
function keyValues(text: string): Map<string, string> | undefined {
  const pairs = text.split('\x01').filter((pair) => pair.includes('='))
  const names = new Set(pairs.map((pair) => pair.slice(0, pair.indexOf('=')).toLowerCase()))
  if (names.size < pairs.length) return undefined
  return new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]))
}
