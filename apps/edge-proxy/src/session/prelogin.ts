/** The commands before login. Each is answered here; LOGIN and AUTHENTICATE end the loop with credentials. */
import { oneLine } from '@imapfleet/observe'
import type { Client } from '../client/client.ts'
import { readAuthenticate, readLogin } from '../client/login.ts'
import type { EdgeContext } from '../edge/context.ts'
import type { Credentials } from '../imap/credentials.ts'
import { parseId } from '../imap/id.ts'
import { answerXproxy, mayAdminister } from '../ops/xproxy.ts'

export interface Login {
  tag: string
  credentials: Credentials
}

/** The client's login, or undefined when it has gone or was sent away. */
export async function nextLogin(client: Client, context: EdgeContext): Promise<Login | undefined> {
  for (;;) {
    const command = await client.nextCommand()
    if (command === undefined) return undefined
    const { bytes, tag, verb, argumentsAt } = command
    if (tag === undefined) {
      client.reply('*', 'BAD Invalid tag')
      continue
    }
    switch (verb) {
      case 'LOGIN':
      case 'AUTHENTICATE': {
        if (!mayLogin(client, context)) {
          client.reply(tag, 'NO [PRIVACYREQUIRED] STARTTLS first')
          break
        }
        const result =
          verb === 'LOGIN'
            ? readLogin(bytes, argumentsAt)
            : await readAuthenticate(client, bytes, argumentsAt)
        if (result.kind === 'credentials') return { tag, credentials: result.credentials }
        if (result.kind === 'gone') return undefined
        client.reply(tag, result.text)
        break
      }
      case 'CAPABILITY':
        client.write(`* CAPABILITY ${capabilitiesFor(client, context)}\r\n${tag} OK Completed\r\n`)
        break
      case 'NOOP':
        client.reply(tag, 'OK Completed')
        break
      case 'ID': {
        // Kept for the server. An ID that does not fit into one line is left out.
        const pairs = parseId(bytes, argumentsAt)
        if (pairs) client.addId(pairs)
        client.write(`* ID NIL\r\n${tag} OK Completed\r\n`)
        break
      }
      case 'LOGOUT':
        client.write(`* BYE Logging out\r\n${tag} OK Completed\r\n`)
        client.close()
        return undefined
      case 'STARTTLS':
        if (!offersStartTls(client, context)) client.reply(tag, 'BAD TLS is not available')
        else if (!(await startTls(client, tag, context))) return undefined
        break
      default: {
        const rest = oneLine(bytes.toString('utf8', argumentsAt, command.firstLineEnd).trim(), 1000)
        if (!answerXproxy(context, client, verb, tag, rest)) client.reply(tag, 'BAD Please login first')
      }
    }
  }
}

/** The capability list that this client is shown before login. */
export function capabilitiesFor(client: Client, context: EdgeContext): string {
  return context.capabilityLists.list(client.listener, context.servers.on(client.listener), {
    offerStartTls: offersStartTls(client, context),
    loginDisabled: !mayLogin(client, context),
    adminCommands: mayAdminister(context, client),
  })
}

const mayLogin = (client: Client, context: EdgeContext): boolean =>
  client.secure || !context.settings.listener(client.listener).requireTls

const offersStartTls = (client: Client, context: EdgeContext): boolean =>
  !client.secure &&
  context.settings.listenerTls(client.listener) !== undefined &&
  context.settings.listener(client.listener).tls === 'starttls'

/** False: the handshake failed, and the connection is closed. */
function startTls(client: Client, tag: string, { settings, clock }: EdgeContext): Promise<boolean> {
  client.reply(tag, 'OK Begin TLS negotiation now')
  return client.startTls(settings.listenerTls(client.listener)!, client.deadlineAt - clock.now())
}
