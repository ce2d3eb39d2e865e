/** Reads credentials from LOGIN and AUTHENTICATE, or returns the answer that refuses the command. */
import { isSendable, type Credentials } from '../imap/credentials.ts'
import { parseArguments } from '../imap/arguments.ts'
import {
  decodeBase64,
  mechanisms,
  parseOauthBearer,
  parsePlain,
  parseXoauth2,
  type Mechanism,
  type SaslIdentity,
} from '../imap/sasl.ts'
import type { Client } from './client.ts'

export type ParsedLogin =
  | { kind: 'credentials'; credentials: Credentials }
  /** Answer the command with this status and text. */
  | { kind: 'answer'; text: string }
  /** The client has disconnected or was disconnected. */
  | { kind: 'gone' }

const bad = (text: string): ParsedLogin => ({ kind: 'answer', text: `BAD ${text}` })
const empty = Buffer.alloc(0)

/** `LOGIN user password`, each an atom, a quoted string or a literal. */
export function readLogin(command: Buffer, argumentsAt: number): ParsedLogin {
  const parsed = parseArguments(command, argumentsAt)
  const [user, secret, ...more] = parsed ?? []
  if (!user || !secret || more.length > 0 || user.kind === 'list' || secret.kind === 'list')
    return bad('LOGIN needs a user name and a password')
  return checked({ user: user.bytes, authzid: empty, secret: secret.bytes, mechanism: 'command' })
}

/** `AUTHENTICATE mechanism [initial response]` (RFC 4959), and the SASL exchange that follows. */
export async function readAuthenticate(
  client: Client,
  command: Buffer,
  argumentsAt: number,
): Promise<ParsedLogin> {
  const words = command.toString('latin1', argumentsAt).trim().split(/ +/)
  const mechanism = mechanisms.find((known) => known === words[0]?.toUpperCase())
  if (!mechanism) return { kind: 'answer', text: 'NO Unsupported authentication mechanism' }
  if (words.length > 2) return bad('Too many arguments')
  if (mechanism === 'LOGIN') return readLoginMechanism(client, words[1])
  const message = await readResponse(client, words[1], '')
  if (message.kind !== 'response') return message
  const identity = parse[mechanism](message.bytes)
  return identity ? checked({ ...identity, mechanism }) : bad(`Invalid ${mechanism} message`)
}

const parse: Record<Exclude<Mechanism, 'LOGIN'>, (message: Buffer) => SaslIdentity | undefined> = {
  PLAIN: parsePlain,
  XOAUTH2: parseXoauth2,
  OAUTHBEARER: parseOauthBearer,
}

/** The mechanism LOGIN: user name and password, each after a challenge. */
async function readLoginMechanism(client: Client, initial: string | undefined): Promise<ParsedLogin> {
  const user = await readResponse(client, initial, 'Username:')
  if (user.kind !== 'response') return user
  const secret = await readResponse(client, undefined, 'Password:')
  if (secret.kind !== 'response') return secret
  return checked({ user: user.bytes, authzid: empty, secret: secret.bytes, mechanism: 'LOGIN' })
}

type Response = { kind: 'response'; bytes: Buffer } | ParsedLogin

/** The initial response, or the client's response to a challenge. `*` cancels (RFC 9051 6.2.2). */
async function readResponse(
  client: Client,
  initial: string | undefined,
  challenge: string,
): Promise<Response> {
  let text = initial
  if (text === undefined) {
    client.write(`+ ${Buffer.from(challenge).toString('base64')}\r\n`)
    const line = await client.nextLine()
    if (line === undefined) return { kind: 'gone' }
    text = line.toString('latin1')
  }
  if (text === '*') return bad('Authentication cancelled')
  const bytes = decodeBase64(text)
  return bytes ? { kind: 'response', bytes } : bad('Invalid base64')
}

function checked(credentials: Credentials): ParsedLogin {
  return isSendable(credentials)
    ? { kind: 'credentials', credentials }
    : {
        kind: 'answer',
        text: 'NO [AUTHENTICATIONFAILED] User name or password has characters that no server accepts',
      }
}
