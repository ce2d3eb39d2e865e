/** A session with every kind of syntax, killed after each of its bytes, and cut in two at each of them. */
import { setTimeout as pause } from 'node:timers/promises'
import { expectOwn, expectUnselected, settled } from '../checks.ts'
import { expect, type MailAccount, type Scenario, type World } from '../scenario.ts'
import { quote, type WireClient } from '../wire.ts'

/** Longer than a barrier, so that a barrier alone cannot complete a literal that a client left open. */
const body = `Subject: whole\r\n\r\n${'x LOGOUT {3}\r\n'.repeat(4)}`

/** The commands of the session: quoted strings, a literal, IDLE, and LOGOUT at the end. */
function sayings({ name, secret }: MailAccount): string[] {
  return [
    // No literals, because imapproxy does not accept them here.
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
  guarantee: `a client that disconnects (${how}) after any byte of a session leaves nothing for the next one, and no incomplete mail`,
  on: 'any',
  run: async (world) => {
    const user = await world.user()
    for (let length = 1, total = Infinity; length <= total; length++) {
      const { client } = await world.login(user)
      const { bytes } = session(client, sayings(user).slice(1))
      total = bytes.length
      client.send(bytes.slice(0, length))
      if (how === 'close') {
        // An ordinary close, so that every byte is read before the end.
        client.halfClose()
        await client.rest()
      }
      // After an immediate reset the bytes may never be read, so every other round waits.
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
