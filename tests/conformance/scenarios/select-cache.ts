/** The SELECT cache: opening a mailbox again needs no SELECT, and never shows an outdated state (D14). */
import { expectOwn, expectUnselected, logout, settled } from '../checks.ts'
import { expect, type MailAccount, type Scenario, type World } from '../scenario.ts'
import { quote } from '../wire.ts'

const cached = {
  config: { pool: { selectCache: 'exact' } },
  keywords: { enable_select_cache: 'yes' },
} as const

/** Selects INBOX in a new session. Returns the responses in order. */
async function selectOnce(world: World, user: MailAccount, verb = 'SELECT'): Promise<string[]> {
  const session = await world.login(user)
  const { status, text, untagged } = await session.client.command(`${verb} INBOX`)
  expect(status === 'OK', `${verb} was answered ${status} ${quote(text)}`)
  await logout(session)
  await settled(world.proxy)
  return [...untagged, text]
}

const exists = (told: string[]) => told.find((line) => line.endsWith(' EXISTS')) ?? 'nothing of EXISTS'

export const selectCache: Scenario[] = [
  {
    name: 'select-cache-same',
    guarantee: 'with the SELECT cache, an unchanged mailbox is answered from the cache, without a SELECT',
    on: 'stub',
    ...cached,
    run: async (world) => {
      const user = await world.user()
      const first = await selectOnce(world, user)
      const second = await selectOnce(world, user)
      expect(
        second.join() === first.join(),
        `first ${quote(first.join('\r\n'))}, then ${quote(second.join('\r\n'))}`,
      )
      const selects = world.dials().flatMap(({ received }) => received.match(/ SELECT /g) ?? []).length
      expect(selects === 1, `the server saw ${selects} SELECTs`)
    },
  },
  {
    name: 'select-cache-changed',
    guarantee: 'with the SELECT cache, a mailbox that has changed is answered with its current state',
    on: 'any',
    ...cached,
    run: async (world) => {
      const user = await world.user()
      await selectOnce(world, user)
      for (let mails = 4; mails < 7; mails++) {
        await world.deliver(user, `Subject: number ${mails}\r\n\r\n`)
        const told = exists(await selectOnce(world, user))
        expect(
          told === `* ${mails} EXISTS`,
          `with ${mails} mails in it, the mailbox was reported with ${quote(told)}`,
        )
      }
    },
  },
  {
    name: 'select-cache-unselected',
    guarantee: 'with the SELECT cache, a session that selected nothing finds nothing selected',
    on: 'any',
    ...cached,
    run: async (world) => {
      const user = await world.user()
      await selectOnce(world, user)
      const next = await world.login(user)
      await expectUnselected(next)
      await expectOwn(next)
      await logout(next)
      await settled(world.proxy)
      const store = await world.login(user)
      const reply = await store.client.command('STORE 1 +FLAGS (\\Deleted)')
      expect(reply.status !== 'OK', 'STORE was answered OK before any SELECT')
    },
  },
  {
    name: 'select-cache-examine',
    guarantee:
      'with the SELECT cache, an EXAMINE is not answered from a cached SELECT, nor the other way round',
    on: 'any',
    ...cached,
    run: async (world) => {
      const user = await world.user()
      for (const verb of ['SELECT', 'EXAMINE', 'EXAMINE', 'SELECT', 'SELECT']) {
        const code = (await selectOnce(world, user, verb)).at(-1) ?? ''
        const due = verb === 'SELECT' ? '[READ-WRITE]' : '[READ-ONLY]'
        expect(code.startsWith(due), `${verb} was answered OK ${quote(code)}`)
      }
    },
  },
]
