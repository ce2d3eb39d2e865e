/** Sends a login to a dialed server, as LOGIN or AUTHENTICATE, and returns the server's reply. */
import type { Credentials } from '../imap/credentials.ts'
import { encodeString } from '../imap/encode.ts'
import { printPlain } from '../imap/sasl.ts'
import type { Exchange, ExchangeFailure, Reply } from './exchange.ts'

/** The user that logs in for all users, if one is configured (`masterUser`; auth_sasl_plain_* of imapproxy). */
export interface MasterLogin {
  user: string
  password: string
}

/** `challenge`: how an OAuth server explained a refusal before its reply (RFC 7628 3.2.2). */
export type LoginReply = Reply & { challenge?: string }

/** Uses the command that the client used, LOGIN or AUTHENTICATE. If the server offers only the other one, it uses that. */
export async function authenticate(
  exchange: Exchange,
  capabilities: readonly string[],
  credentials: Credentials,
  master?: MasterLogin,
): Promise<LoginReply | ExchangeFailure> {
  if (master) {
    const identity = {
      authzid: credentials.authzid.length > 0 ? credentials.authzid : credentials.user,
      user: Buffer.from(master.user),
      secret: Buffer.from(master.password),
    }
    return sasl(exchange, capabilities, 'PLAIN', printPlain(identity))
  }
  if (credentials.mechanism === 'XOAUTH2' || credentials.mechanism === 'OAUTHBEARER') {
    return sasl(exchange, capabilities, credentials.mechanism, credentials.secret)
  }
  const offersPlain = capabilities.includes('AUTH=PLAIN')
  const offersLogin = !capabilities.includes('LOGINDISABLED')
  const needsPlain = credentials.authzid.length > 0
  if (needsPlain || (offersPlain && (credentials.mechanism === 'PLAIN' || !offersLogin)))
    return sasl(exchange, capabilities, 'PLAIN', printPlain(credentials))
  if (!offersLogin) {
    // A password must not be sent to a server that disables LOGIN (RFC 9051 6.2.3).
    exchange.fail('not-imap', 'the server offers neither LOGIN nor AUTHENTICATE PLAIN; does it want TLS?')
  }
  return login(exchange, capabilities, credentials)
}

async function sasl(
  exchange: Exchange,
  capabilities: readonly string[],
  mechanism: string,
  message: Buffer,
): Promise<LoginReply | ExchangeFailure> {
  const encoded = message.toString('base64')
  let sent = capabilities.includes('SASL-IR')
  let challenge: string | undefined
  const reply = await exchange.command(`AUTHENTICATE ${mechanism}${sent ? ` ${encoded}` : ''}`, (text) => {
    if (sent) {
      // It explains a refusal. After this dummy response (RFC 7628 3.2.3) the server sends its tagged reply.
      challenge = text
      return mechanism === 'OAUTHBEARER' ? 'AQ==' : ''
    }
    sent = true
    return encoded
  })
  return reply.kind === 'reply' && challenge !== undefined ? { ...reply, challenge } : reply
}

/** Strings that cannot be quoted become literals. Each waits for the server's `+`, unless the server has LITERAL+. */
function login(
  exchange: Exchange,
  capabilities: readonly string[],
  credentials: Credentials,
): Promise<Reply | ExchangeFailure> {
  const nonSync = capabilities.includes('LITERAL+') || capabilities.includes('LITERAL-')
  const parts: string[] = ['LOGIN ']
  for (const [index, bytes] of [credentials.user, credentials.secret].entries()) {
    if (index > 0) parts[parts.length - 1] += ' '
    const encoded = encodeString(bytes)
    if (encoded.kind === 'inline') parts[parts.length - 1] += encoded.text
    else if (nonSync && encoded.bytes.length <= 4096)
      parts[parts.length - 1] += `{${encoded.bytes.length}+}\r\n${encoded.bytes.toString('latin1')}`
    else {
      parts[parts.length - 1] += `{${encoded.bytes.length}}`
      parts.push(encoded.bytes.toString('latin1'))
    }
  }
  let sent = 0
  return exchange.command(parts[0]!, () => parts[++sent] ?? '')
}
