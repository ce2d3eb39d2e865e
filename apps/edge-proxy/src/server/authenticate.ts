/** Sends a login to a dialed server, as LOGIN or AUTHENTICATE, and returns the server's reply. */
import { offers } from '../imap/capability.ts'
import type { Credentials } from '../imap/credentials.ts'
import { encodeString } from '../imap/encode.ts'
import { printPlain } from '../imap/sasl.ts'
import type { Exchange, ExchangeFailure, Reply } from './exchange.ts'

/** The master user that logs in for all users (`masterUser`; auth_sasl_plain_* of imapproxy). */
export interface MasterLogin {
  user: string
  password: string
}

/** `challenge`: the challenge in which an OAuth server explains a refusal before its reply (RFC 7628 3.2.2). */
export type LoginReply = Reply & { challenge?: string }

/**
 * Longest command line without a literal (RFC 2683 3.2.1.5). Longer data is sent in parts, after the server's `+`, because a
 * server may cut off or refuse longer lines (RFC 4959 3 makes the initial response optional for this).
 */
const lineBytesMax = 1000

/** Longest literal that is sent without waiting, the limit of LITERAL- (RFC 7888 5). */
const literalBytesMax = 4096

/** Uses the client's command, LOGIN or AUTHENTICATE, or the other one if the server offers only that. */
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
  const offersPlain = offers(capabilities, 'AUTH=PLAIN')
  const offersLogin = !offers(capabilities, 'LOGINDISABLED')
  const needsPlain = credentials.authzid.length > 0
  if (needsPlain || (offersPlain && (credentials.mechanism === 'PLAIN' || !offersLogin)))
    return sasl(exchange, capabilities, 'PLAIN', printPlain(credentials))
  if (offersLogin) return login(exchange, capabilities, credentials)
  if (offers(capabilities, 'AUTH=LOGIN')) return saslLogin(exchange, credentials)
  // A password must not be sent to a server that disables LOGIN (RFC 9051 6.2.3).
  exchange.fail('not-imap', 'the server offers neither LOGIN nor AUTHENTICATE PLAIN; does it require TLS?')
  return exchange.failure!
}

async function sasl(
  exchange: Exchange,
  capabilities: readonly string[],
  mechanism: string,
  message: Buffer,
): Promise<LoginReply | ExchangeFailure> {
  const encoded = message.toString('base64')
  const command = `AUTHENTICATE ${mechanism}`
  const inOneLine = `${command} ${encoded || '='}`
  let sent = offers(capabilities, 'SASL-IR') && inOneLine.length <= lineBytesMax
  let challenge: string | undefined
  const reply = await exchange.command(sent ? inOneLine : command, (text) => {
    if (sent) {
      // The challenge explains a refusal. After this dummy response (RFC 7628 3.2.3), the server sends its tagged reply.
      challenge = text
      return mechanism === 'OAUTHBEARER' ? 'AQ==' : ''
    }
    sent = true
    return encoded
  })
  return reply.kind === 'reply' && challenge !== undefined ? { ...reply, challenge } : reply
}

/** The mechanism LOGIN, for a server that offers no better one. The server asks for the name, then for the password. */
function saslLogin(exchange: Exchange, { user, secret }: Credentials): Promise<Reply | ExchangeFailure> {
  const answers = [user, secret].map((bytes) => bytes.toString('base64'))
  return exchange.command('AUTHENTICATE LOGIN', () => answers.shift() ?? '*')
}

/**
 * Strings that cannot be quoted, or that are long, are sent as literals. Each literal waits for the server's `+`, unless it is
 * short and the server has LITERAL+ or LITERAL-.
 */
function login(
  exchange: Exchange,
  capabilities: readonly string[],
  credentials: Credentials,
): Promise<Reply | ExchangeFailure> {
  const nonSync = offers(capabilities, 'LITERAL+') || offers(capabilities, 'LITERAL-')
  const parts: string[] = ['LOGIN ']
  for (const [index, bytes] of [credentials.user, credentials.secret].entries()) {
    if (index > 0) parts[parts.length - 1] += ' '
    const encoded = encodeString(bytes, lineBytesMax / 2 - 20)
    if (encoded.kind === 'inline') parts[parts.length - 1] += encoded.text
    else if (nonSync && encoded.bytes.length <= literalBytesMax)
      parts[parts.length - 1] += `{${encoded.bytes.length}+}\r\n${encoded.bytes.toString('latin1')}`
    else {
      parts[parts.length - 1] += `{${encoded.bytes.length}}`
      parts.push(encoded.bytes.toString('latin1'))
    }
  }
  let sent = 0
  return exchange.command(parts[0]!, () => parts[++sent] ?? '')
}
