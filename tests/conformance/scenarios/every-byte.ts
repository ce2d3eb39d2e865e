/** One session of all that may be half said, broken off behind each of its bytes, and cut in two at each of them. */
import { setTimeout as pause } from 'node:timers/promises'
import { expectOwn, expectUnselected, settled } from '../checks.ts'
import { expect, type MailAccount, type Scenario, type World } from '../scenario.ts'
import { quote, type WireClient } from '../wire.ts'

/** Longer than a barrier, which would otherwise never end the literal that a client has left open. */
const body = `Subject: whole\r\n\r\n${'x LOGOUT {3}\r\n'.repeat(4)}`

/** Its commands: quoted strings, literals, an IDLE, and at the end a LOGOUT. */
function sayings({ name, secret }: MailAccount): string[] {
  return [
    // No literals: imapproxy, the control, takes none here.
    `LOGIN ${name} "${secret}"`,
    'ID ("name" "every byte")',
    'SELECT "INBOX"',
    'FETCH 1 BODY.PEEK[]',
    `APPEND INBOX {${body.length}+}\r\n${body}`,
    'IDLE\r\nDONE',
    'STATUS INBOX (MESSAGES)',
    'LOGOUT',
  ]
}

function session(client: WireClient, lines: string[]): { tags: string[]; bytes: string } {
  const tags = lines.map(() => client.tag())
  return { tags, bytes: lines.map((line, at) => `${tags[at]} ${line}\r\n`).join('') }
}

async function expectMailsWhole(world: World, user: MailAccount): Promise<void> {
  const torn = (await world.bodies(user)).slice(3).find((stored) => stored !== body)
  expect(torn === undefined, `a mail was stored that no client sent: ${quote(torn ?? '')}`)
}

const killed = (how: 'close' | 'reset'): Scenario => ({
  name: `killed-at-every-byte-${how}`,
  guarantee: `a client that goes away (${how}) after any byte of a session leaves nothing for the next one, and no incomplete mail`,
  on: 'any',
  run: async (world) => {
    const user = await world.user()
    for (let length = 1, total = Infinity; length <= total; length++) {
      const { client } = await world.login(user)
      const { bytes } = session(client, sayings(user).slice(1))
      total = bytes.length
      client.send(bytes.slice(0, length))
      if (how === 'close') {
        // In order, so that every byte is read before the end is.
        client.halfClose()
        await client.rest()
      }
      // What is reset at once may never be read: every other one is given the time to be.
      else if (length % 2 === 0) await pause(5)
      await client.kill(how)
      const next = await world.login(user)
      try {
        await expectOwn(next)
        await expectUnselected(next)
      } catch (error) {
        if (error instanceof Error)
          error.message += ` (killed behind ${quote(bytes.slice(0, length).slice(-20))})`
        throw error
      }
      await next.client.command('LOGOUT')
    }
    await settled(world.proxy)
    await expectMailsWhole(world, user)
  },
})

export const everyByte: Scenario[] = [
  killed('close'),
  killed('reset'),
  {
    name: 'cut-at-every-byte',
    guarantee: 'a session in two segments, cut at any byte, is answered in full and in order',
    on: 'any',
    run: async (world) => {
      const user = await world.user()
      for (let cut = 1, total = Infinity; cut < total; cut++) {
        const client = await world.connect()
        const { tags, bytes } = session(client, sayings(user))
        total = bytes.length
        client.send(bytes.slice(0, cut))
        await new Promise(setImmediate)
        client.send(bytes.slice(cut))
        for (const tag of tags) {
          const { status, text } = await client.reply(tag)
          expect(status === 'OK', `cut at ${cut}, ${tag} was answered ${status} ${quote(text)}`)
        }
        await client.rest()
      }
      await settled(world.proxy)
      await expectMailsWhole(world, user)
    },
  },
]
