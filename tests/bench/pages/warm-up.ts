/**
 * Sessions of other users with another program, before the measured one. A proxy of an operator serves users all the time:
 * its code has run, and logins are never far apart.
 */
import { connect } from 'node:net'
import type { PagesLine } from './line.ts'

export const warmUpMs = 5_000
/** Fewer than the connections that Dovecot allows by default. */
export const usersAtOnce = 32
/** Some sessions are of users who have not logged in before. */
export const sessionsPerNewUser = 20
let newUsers = 0
/** imapproxy loses connections beyond its queue of five: they are open for the client, and get no greeting. */
const silenceMaxMs = 1_000

/** The ID tells the edge that this is not the program that is measured, so nothing is learned about it. */
const commandsOf = (user: string, password: string): string[] => [
  'ID ("name" "warm-up")',
  `LOGIN ${user} ${password}`,
  'STATUS INBOX (MESSAGES UNSEEN)',
  'SELECT INBOX',
  'UID SEARCH ALL',
  'LIST "" "*"',
  'LOGOUT',
]

export async function warmUp({ proxy, password }: PagesLine): Promise<void> {
  const until = performance.now() + warmUpMs
  let [begun, served] = [0, 0]
  const play = async (at: number) => {
    while (performance.now() < until) {
      const user = ++begun % sessionsPerNewUser === 0 ? `new${newUsers++}` : `warm${at}`
      if (await playSession(proxy.port, commandsOf(user, password))) served++
    }
  }
  await Promise.all(Array.from({ length: usersAtOnce }, (_, at) => play(at)))
  if (served < usersAtOnce) throw new Error(`only ${served} sessions of the warm-up were served`)
}

/** Sends each command after the reply to the one before. False: a reply did not come. Rejects if the connection ends earlier. */
function playSession(port: number, commands: readonly string[]): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  const socket = connect(port, '127.0.0.1')
  let sent = 0
  let received = ''
  socket.on('data', (bytes) => {
    received += bytes.toString('latin1')
    const awaited = sent === 0 ? '* OK' : `w${sent} `
    if (!`\n${received}`.includes(`\n${awaited}`) || !received.endsWith('\r\n')) return
    received = ''
    const command = commands[sent++]
    if (command === undefined) socket.destroy()
    else socket.write(`w${sent} ${command}\r\n`)
  })
  socket.on('error', reject)
  socket.setTimeout(silenceMaxMs, () => {
    resolve(false)
    socket.destroy()
  })
  socket.on('close', () => {
    if (sent > commands.length) resolve(true)
    else reject(new Error(`the server closed the connection after ${sent} commands: ${received}`))
  })
  return promise
}
