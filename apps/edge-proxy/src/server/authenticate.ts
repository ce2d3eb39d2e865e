/** Logs a greeted connection in and returns the server's own answer. */
import type { Credentials } from '../imap/credentials.ts'
import { encodeString } from '../imap/encode.ts'
import { printPlain } from '../imap/sasl.ts'
import type { Exchange, Broken, Reply } from './exchange.ts'

/** In whose name everybody is logged in, if the operator has set one (auth_sasl_plain_*). */
export interface MasterLogin {
  user: string
  password: string
}

/** The answer to a login, with what an OAuth server said of its reasons before it (RFC 7628 3.2.2). */
export type LoginReply = Reply & { challenge?: string }

/**
 * Sends the credentials in a form the server takes: LOGIN for a client's LOGIN, else AUTHENTICATE, one for the other
 * where the server offers only one of them.
 */
export async function authenticate(
  exchange: Exchange,
  capabilities: readonly string[],
  credentials: Credentials,
  master?: MasterLogin,
): Promise<LoginReply | Broken> {
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
    // RFC 9051 6.2.3: a password must not be sent where LOGIN is disabled, as it is before TLS.
    exchange.break('not-imap', 'the server offers neither LOGIN nor AUTHENTICATE PLAIN; does it want TLS?')
  }
  return login(exchange, capabilities, credentials)
}

async function sasl(
  exchange: Exchange,
  capabilities: readonly string[],
  mechanism: string,
  message: Buffer,
): Promise<LoginReply | Broken> {
  const encoded = message.toString('base64')
  let sent = capabilities.includes('SASL-IR')
  let challenge: string | undefined
  const reply = await exchange.command(`AUTHENTICATE ${mechanism}${sent ? ` ${encoded}` : ''}`, (text) => {
    if (sent) {
      // It tells of a failure; the dummy answer (RFC 7628 3.2.3) asks for the tagged reply.
      challenge = text
      return mechanism === 'OAUTHBEARER' ? 'AQ==' : ''
    }
    sent = true
    return encoded
  })
  return reply.kind === 'reply' && challenge !== undefined ? { ...reply, challenge } : reply
}

/** LOGIN, with literals for what cannot be quoted; each waits for the server's `+` unless it offers LITERAL+. */
function login(
  exchange: Exchange,
  capabilities: readonly string[],
  credentials: Credentials,
): Promise<Reply | Broken> {
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
