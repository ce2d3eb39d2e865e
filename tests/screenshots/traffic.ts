/** Mail clients as webmail has them: one session for every click, of some users at some edges, until told to stop. */
import { setTimeout as pause } from 'node:timers/promises'
import type { MailUser } from '@imapfleet/local'
import { WireClient, Mismatch } from '../conformance/wire.ts'

export interface DemoTraffic {
  stop: () => Promise<void>
}

const patienceMs = 15_000

/** Each user clicks at the edge that fits its place in the list; the later in the list, the rarer. */
export function clickAround(users: readonly MailUser[], ports: readonly number[]): DemoTraffic {
  const life = new AbortController()
  const loops = users.map(async (user, index) => {
    const port = ports[index % ports.length] ?? 0
    for (let click = 0; !life.signal.aborted; click++) {
      // A kick and a drain end sessions; a mail client tries again with the next click.
      await clickOnce(user, port, `s${index}x${click}x`).catch((error: unknown) => {
        if (!(error instanceof Mismatch)) throw error
      })
      const thinkMs = (300 + index * 120) * (0.5 + Math.random())
      await pause(thinkMs, undefined, { signal: life.signal }).catch(() => undefined)
    }
  })
  return {
    async stop() {
      life.abort()
      await Promise.all(loops)
    },
  }
}

/** A user who stays: the session is open until the returned client is killed. */
export async function stay({ user, password }: MailUser, port: number): Promise<WireClient> {
  const client = await WireClient.open(port, `stay-${user.slice(0, 3)}x`, patienceMs)
  await client.response('a greeting')
  await client.command(`LOGIN ${user} ${password}`)
  await client.command('SELECT INBOX')
  return client
}

async function clickOnce({ user, password }: MailUser, port: number, prefix: string): Promise<void> {
  const client = await WireClient.open(port, prefix, patienceMs)
  await client.response('a greeting')
  const { status } = await client.command(`LOGIN ${user} ${password}`)
  // An edge that drains says no, and so does one whose user was kicked.
  if (status !== 'OK') return await client.kill()
  const chance = Math.random()
  if (chance < 0.02) {
    // The tab is closed in the middle of an upload.
    client.send(`${prefix}z APPEND INBOX {400}\r\nFrom: nobody`)
    return await client.kill()
  }
  await client.command('SELECT INBOX')
  await client.command('UID FETCH 1:* (FLAGS)')
  if (chance < 0.03) await client.command('ENABLE QRESYNC')
  await client.command('LOGOUT')
  await client.rest()
}
