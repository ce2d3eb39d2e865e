/** Answers everything that may come before a login, until credentials do. */
import { oneLine } from '@imapfleet/observe'
import type { Credentials } from '../imap/credentials.ts'
import { commandHead, isTag, type Verb } from '../imap/verb.ts'
import { findByte, LF } from '../imap/bytes.ts'
import { parseId } from '../imap/id.ts'
import type { Client } from './client.ts'
import { readAuthenticate, readLogin } from './login.ts'

export interface Login {
  tag: string
  credentials: Credentials
}

/** What the edge offers before login; asked each time, because upstreams and settings change. */
export interface Prelogin {
  capabilities(client: Client): string
  /** Whether STARTTLS is to be had by this client now. */
  offersTls(client: Client): boolean
  /** False: the handshake failed, and the client has gone. */
  startTls(client: Client): Promise<boolean>
  /** Whether this client may log in as it is (not before TLS, where that is required). */
  mayLogin(client: Client): boolean
  /** Answers an XPROXY_ command; false: it is not enabled for this client. */
  admin(client: Client, verb: Verb, tag: string, rest: string): boolean
}

/** The client's login, or undefined when it has gone or was sent away. */
export async function nextLogin(client: Client, prelogin: Prelogin): Promise<Login | undefined> {
  for (;;) {
    const command = await client.nextCommand()
    if (command === undefined) return undefined
    const firstLine = findByte(command, LF, 0)
    const head = commandHead(command, 0, firstLine)
    if (!isTag(command, 0, head.tagEnd)) {
      client.reply('*', 'BAD Invalid tag')
      continue
    }
    const tag = command.toString('latin1', 0, head.tagEnd)
    switch (head.verb) {
      case 'LOGIN':
      case 'AUTHENTICATE': {
        if (!prelogin.mayLogin(client)) {
          client.reply(tag, 'NO [PRIVACYREQUIRED] STARTTLS first')
          break
        }
        const result =
          head.verb === 'LOGIN'
            ? readLogin(command, head.verbEnd)
            : await readAuthenticate(client, command, head.verbEnd)
        if (result.kind === 'credentials') return { tag, credentials: result.credentials }
        if (result.kind === 'gone') return undefined
        client.reply(tag, result.text)
        break
      }
      case 'CAPABILITY':
        client.write(`* CAPABILITY ${prelogin.capabilities(client)}\r\n${tag} OK Completed\r\n`)
        break
      case 'NOOP':
        client.reply(tag, 'OK Completed')
        break
      case 'ID':
        readId(client, command, head.verbEnd)
        client.write(`* ID NIL\r\n${tag} OK Completed\r\n`)
        break
      case 'LOGOUT':
        client.write(`* BYE Logging out\r\n${tag} OK Completed\r\n`)
        client.close()
        return undefined
      case 'STARTTLS':
        if (!prelogin.offersTls(client)) client.reply(tag, 'BAD TLS is not available')
        else {
          // What was sent in the clear behind it must not be taken for the client's word (RFC 9051 6.2.1).
          client.takeEarly()
          client.ids.length = 0
          client.reply(tag, 'OK Begin TLS negotiation now')
          if (!(await prelogin.startTls(client))) return undefined
        }
        break
      default: {
        const rest = oneLine(command.toString('utf8', head.verbEnd, firstLine).trim(), 1000)
        if (!prelogin.admin(client, head.verb, tag, rest)) client.reply(tag, 'BAD Please login first')
      }
    }
  }
}

/** Remembered for the server; what it cannot be told in one line is left out, and does no harm. */
function readId(client: Client, command: Buffer, argumentsAt: number): void {
  const pairs = parseId(command, argumentsAt)
  if (pairs) client.ids.push(pairs)
}
