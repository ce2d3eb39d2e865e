/** The commands before login. All are answered here. LOGIN and AUTHENTICATE with valid arguments end the loop. */
import { oneLine } from '@imapfleet/observe'
import type { Client } from '../client/client.ts'
import { readAuthenticate, readLogin } from '../client/login.ts'
import type { EdgeContext } from '../edge/context.ts'
import { offers } from '../imap/capability.ts'
import type { Credentials } from '../imap/credentials.ts'
import { commonPairs, parseId, printId } from '../imap/id.ts'
import { networksContain } from '../net/networks.ts'
import { answerXproxy, mayAdminister } from '../ops/xproxy.ts'
import { identify } from '../server/identify.ts'
import type { Server } from '../server/server.ts'

export interface Login {
  tag: string
  credentials: Credentials
}

/** The client's login. Undefined: the client has disconnected or was disconnected. */
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
        if (result.kind === 'credentials') {
          client.noteLogin(command)
          return { tag, credentials: result.credentials }
        }
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
        const servers = context.servers.on(client.listener)
        const unknown = servers.filter((server) => mayHaveId(server) && !server.identification.wasAsked)
        if (unknown.length > 0) {
          await Promise.all(unknown.map((server) => identify(server, client.loginSignal)))
          if (client.loginSignal.aborted) {
            client.sendAway()
            return undefined
          }
        }
        const answer = idAnswer(servers)
        if (answer === undefined) {
          client.reply(tag, 'NO The mail server has no ID command')
          break
        }
        // Kept for the server, unless the ID does not fit into one line.
        const pairs = parseId(bytes, argumentsAt)
        if (pairs) client.addId(pairs, mayNameUser(client, context))
        client.write(`${answer}${tag} OK Completed\r\n`)
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

/** The capability list for this client before login. */
export function capabilitiesFor(client: Client, context: EdgeContext): string {
  return context.capabilityLists.list(client.listener, context.servers.on(client.listener), {
    offerStartTls: offersStartTls(client, context),
    loginDisabled: !mayLogin(client, context),
    adminCommands: mayAdminister(context, client),
  })
}

const mayHaveId = ({ capabilities }: Server): boolean =>
  capabilities.length === 0 || offers(capabilities, 'ID')

/**
 * The untagged answer to an ID before login, with its line end: the pairs that all servers have in common to which the client may
 * be routed. Empty: the answer of one of them is unknown. Undefined: none of them supports ID.
 */
function idAnswer(servers: readonly Server[]): string | undefined {
  if (!servers.some(mayHaveId)) return undefined
  const said = servers.map(({ identification }) => identification.beforeLogin)
  const known = said.filter((pairs) => pairs !== undefined)
  return known.length === said.length ? `* ${printId(commonPairs(known))}\r\n` : ''
}

/** Whether the client may name the address of its user. Otherwise its own address is used. */
function mayNameUser(client: Client, { settings }: EdgeContext): boolean {
  const { originatingIpFrom } = settings.listener(client.listener)
  return originatingIpFrom.length > 0 && networksContain(originatingIpFrom, client.address)
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
