/** Checks that many scenarios share. */
import { eventually } from './child.ts'
import type { ProxyProcess } from './proxy-process.ts'
import { expect, type MailAccount, type LoggedIn } from './scenario.ts'
import { quote, type WireClient, type WireReply } from './wire.ts'

/** Makes a session from the reply to a login. Throws a Mismatch if it was refused. */
export function sessionOf(client: WireClient, user: MailAccount, reply: WireReply): LoggedIn {
  expect(reply.status === 'OK', `the login of ${user.name} was answered ${reply.status} ${quote(reply.text)}`)
  const reused = reply.untagged.some((line) => line.startsWith('* OK [XPROXYREUSE]'))
  return { client, user, untagged: reply.untagged, reused }
}

/** The session belongs to the user and is in step: two commands get their replies and nothing else arrives. */
export async function expectOwn({ client, user, untagged }: LoggedIn): Promise<void> {
  const tags = [client.tag(), client.tag()] as const
  // In this order: Dovecot may answer a command after a NOOP before the NOOP.
  client.send(`${tags[0]} LIST "" box-of-*\r\n${tags[1]} NOOP\r\n`)
  const list = await client.reply(tags[0])
  const noop = await client.reply(tags[1])
  expect(noop.status === 'OK', `NOOP was answered ${noop.status} ${quote(noop.text)}`)
  const strange = [...untagged, ...list.untagged, ...noop.untagged].filter(
    (line) => !/^\* (?:CAPABILITY |OK \[XPROXYREUSE\]|LIST )/.test(line),
  )
  expect(strange.length === 0, `unexpected data: ${quote(strange.join('\r\n'))}`)
  const boxes = list.untagged.map((line) => line.split(' ').at(-1)?.replaceAll('"', '')).join(' ')
  expect(boxes === `box-of-${user.name}`, `logged in as ${user.name}, but sees the mailboxes ${quote(boxes)}`)
}

/** No mailbox is selected: a FETCH is refused. */
export async function expectUnselected({ client }: LoggedIn): Promise<void> {
  const fetch = await client.command('FETCH 1 UID')
  expect(fetch.status !== 'OK', `FETCH was answered ${quote(fetch.untagged.join(' '))} before any SELECT`)
}

/** Logs out, and waits until the proxy has ended the session too. */
export async function logout({ client }: LoggedIn): Promise<void> {
  const reply = await client.command('LOGOUT')
  expect(reply.status === 'OK', `LOGOUT was answered ${reply.status} ${quote(reply.text)}`)
  expect(reply.untagged.at(-1)?.startsWith('* BYE') === true, 'LOGOUT was answered without a BYE')
  await client.rest()
}

/** The proxy is at rest: every server connection is idle or closed. */
export async function settled(proxy: ProxyProcess): Promise<void> {
  const busy = ['upstreams_leased', 'upstreams_resetting', 'upstreams_dialing']
  let told = ''
  const quiet = await eventually(async () => {
    const gauges = await proxy.gauges()
    told = busy.map((name) => `${name} ${gauges?.[name]}`).join(', ')
    return gauges === undefined || busy.every((name) => gauges[name] === 0)
  }, 6000)
  expect(quiet, `connections to the server are still in use: ${told}`)
}

/** idle + leased + resetting + dialing + ahead = sockets that the server sees. */
export async function expectInvariant(proxy: ProxyProcess, open: () => number): Promise<void> {
  if (proxy.name !== 'ours') return
  const names = ['idle', 'leased', 'resetting', 'dialing', 'ahead'].map((state) => `upstreams_${state}`)
  let told = ''
  const held = await eventually(async () => {
    const gauges = await proxy.gauges()
    if (gauges === undefined) return true
    const counts = names.map((name) => gauges[name] ?? NaN)
    told = `${names.map((name, at) => `${name} ${counts[at]}`).join(', ')}, the server sees ${open()}`
    return counts.reduce((sum, count) => sum + count, 0) === open()
  }, 6000)
  expect(held, `the pool and the server disagree: ${told}`)
}
