/** Simulates webmail: one session for every click, of some users at some edges, until stopped. */
import { setTimeout as pause } from 'node:timers/promises'
import type { MailUser } from '@imapfleet/local'
import { WireClient, Mismatch } from '../conformance/wire.ts'

export interface DemoTraffic {
  stop: () => Promise<void>
}

const patienceMs = 15_000

/** Each user clicks at one edge. Users later in the list click less often. */
export function clickAround(users: readonly MailUser[], ports: readonly number[]): DemoTraffic {
  const life = new AbortController()
  const loops = users.map(async (user, index) => {
    const port = ports[index % ports.length] ?? 0
    for (let click = 0; !life.signal.aborted; click++) {
      // A kick and a drain end sessions. The client logs in again with the next click.
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

/** A session that stays open until the returned client is killed. */
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
  // An edge that drains refuses logins, as does one that kicked the user.
  if (status !== 'OK') return await client.kill()
  const chance = Math.random()
  if (chance < 0.02) {
    // A tab closed during an upload.
    client.send(`${prefix}z APPEND INBOX {400}\r\nFrom: nobody`)
    return await client.kill()
  }
  await client.command('SELECT INBOX')
  await client.command('UID FETCH 1:* (FLAGS)')
  if (chance < 0.03) await client.command('ENABLE QRESYNC')
  await client.command('LOGOUT')
  await client.rest()
}
