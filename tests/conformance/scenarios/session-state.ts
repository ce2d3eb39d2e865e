/** State that a session enables and cannot undo. It must not affect a later session that was not told about it. */
import { expectOwn, logout, settled } from '../checks.ts'
import { expect, type MailAccount, type Scenario, type StubWorld } from '../scenario.ts'
import { quote } from '../wire.ts'

/**
 * One session sends these lines and leaves. The next one finds nothing enabled, or gets XPROXYREUSE and finds exactly
 * what the first enabled: clients that know XPROXYREUSE then skip their own ENABLE.
 */
async function expectNoLeftover(world: StubWorld, lines: readonly string[]): Promise<void> {
  const user = await world.user()
  const first = await world.login(user)
  for (const line of lines) {
    const reply = await first.client.command(line)
    expect(reply.status === 'OK', `${line} was answered ${reply.status} ${quote(reply.text)}`)
  }
  const left = [...(world.stub.connections.find((seen) => seen.user === user.name)?.lasting ?? [])].join(', ')
  expect(left !== '', `${quote(lines.join(', '))} switched nothing on at the server`)
  await logout(first)
  await settled(world.proxy)
  const next = await world.login(user)
  await expectOwn(next)
  const who = (await next.client.command('WHOAMI')).untagged.join(' ')
  const lasting = / lasting (.*)$/.exec(who)?.[1] ?? ''
  const promised = next.reused && lasting === left.replaceAll(', ', ',')
  const told = next.reused ? 'told XPROXYREUSE' : 'told nothing'
  expect(lasting === 'nothing' || promised, `the next session, ${told}, finds ${lasting} switched on`)
}

const enabledState = (name: string, guarantee: string, ...lines: string[]): Scenario => ({
  name: `state-${name}`,
  guarantee,
  on: 'stub',
  run: (world) => expectNoLeftover(world, lines),
})

/** A session of a program that counts its tags in this way. Returns what the server says about its connection. */
async function page(
  world: StubWorld,
  user: MailAccount,
  tagOf: (number: number) => string,
  commands: string[],
) {
  const client = await world.connect()
  let who = ''
  const all = [`LOGIN ${user.name} ${user.secret}`, ...commands, 'WHOAMI', 'LOGOUT']
  for (const [index, command] of all.entries()) {
    client.send(`${tagOf(index + 1)} ${command}\r\n`)
    const { status, text, untagged } = await client.reply(tagOf(index + 1))
    expect(status === 'OK', `${command} was answered ${status} ${quote(text)}`)
    if (command === 'WHOAMI') who = untagged.join(' ')
  }
  await client.rest()
  await settled(world.proxy)
  return who
}

const snappymail = (number: number) => `TAG${number}`
const anotherProgram = (number: number) => `A${number}`
const status = 'STATUS INBOX (MESSAGES HIGHESTMODSEQ)'

/** NOTIFY, LANGUAGE and similar commands: the next session must find nothing enabled in any case. */
const lasting = (name: string, guarantee: string, ...lines: string[]): Scenario => ({
  name: `state-${name}`,
  guarantee,
  on: 'stub',
  run: async (world) => {
    const user = await world.user()
    const first = await world.login(user)
    for (const line of lines) await first.client.command(line)
    await logout(first)
    await settled(world.proxy)
    const next = await world.login(user)
    const who = (await next.client.command('WHOAMI')).untagged.join(' ')
    expect(who.endsWith('lasting nothing'), `the next session finds ${quote(who)}`)
  },
})

/** Must be answered BAD here and never reach the server. */
const refused = (name: string, guarantee: string, ...lines: string[]): Scenario => ({
  name: `refuse-${name}`,
  guarantee,
  on: 'any',
  run: async (world) => {
    const user = await world.user()
    const other = await world.user()
    const session = await world.login(user)
    const known = world.dials()[0]?.received.length ?? 0
    for (const line of lines) {
      const text = line.replaceAll('OTHER', `${other.name} ${other.secret}`)
      const reply = await session.client.command(text)
      expect(
        reply.status === 'BAD',
        `${quote(line)} after login was answered ${reply.status} ${quote(reply.text)}`,
      )
    }
    await expectOwn(session)
    const forwarded = world.dials()[0]?.received.slice(known) ?? ''
    const verb = lines.map((line) => line.split(' ')[0] ?? '').find((word) => forwarded.includes(word))
    expect(verb === undefined, `${verb} was sent on to the server`)
    await logout(session)
    await settled(world.proxy)
    await expectOwn(await world.login(user))
  },
})

export const sessionState: Scenario[] = [
  enabledState(
    'enable',
    'an extension that a session ENABLEs does not affect a later session that was not told about it',
    'ENABLE QRESYNC',
  ),
  enabledState(
    'enable-utf8',
    'UTF8=ACCEPT, which changes mailbox names, does not affect a later session that was not told about it',
    'ENABLE UTF8=ACCEPT CONDSTORE',
  ),
  enabledState(
    'select-condstore',
    'CONDSTORE enabled by SELECT does not affect a later session that was not told about it',
    'SELECT INBOX (CONDSTORE)',
  ),
  enabledState(
    'status-condstore',
    'CONDSTORE enabled by STATUS HIGHESTMODSEQ does not affect a later session that was not told about it',
    'STATUS INBOX (MESSAGES HIGHESTMODSEQ)',
  ),
  enabledState(
    'fetch-modseq',
    'CONDSTORE enabled by FETCH MODSEQ does not affect a later session that was not told about it',
    'SELECT INBOX',
    'FETCH 1 (FLAGS MODSEQ)',
  ),
  enabledState(
    'fetch-changedsince',
    'CONDSTORE enabled by FETCH CHANGEDSINCE does not affect a later session that was not told about it',
    'SELECT INBOX',
    'UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1)',
  ),
  enabledState(
    'store-unchangedsince',
    'CONDSTORE enabled by STORE UNCHANGEDSINCE does not affect a later session that was not told about it',
    'SELECT INBOX',
    'STORE 1 (UNCHANGEDSINCE 9) +FLAGS (\\Seen)',
  ),
  enabledState(
    'search-modseq',
    'CONDSTORE enabled by SEARCH MODSEQ does not affect a later session that was not told about it',
    'SELECT INBOX',
    'SEARCH MODSEQ 1',
  ),
  enabledState(
    'lower-case',
    'CONDSTORE enabled in lower case does not affect a later session that was not told about it',
    'select inbox (condstore)',
  ),
  {
    name: 'condstore-pages',
    guarantee:
      'a webmail whose pages enable CONDSTORE by a command logs in once; another program of the user finds nothing enabled',
    on: 'stub',
    run: async (world) => {
      const user = await world.user()
      for (let number = 1; number <= 5; number++) await page(world, user, snappymail, [status])
      expect(world.dials().length === 1, `five pages made ${world.dials().length} logins`)
      const who = await page(world, user, anotherProgram, [])
      expect(who.endsWith(' lasting nothing'), `the other program finds ${quote(who)}`)
      await page(world, user, snappymail, [])
      expect(world.dials().length === 2, `a page after it made another login`)
    },
  },
  {
    name: 'condstore-moves',
    guarantee:
      'a session that enables CONDSTORE by its first command moves to a connection that has it, and leaves its own one clean',
    on: 'stub',
    run: async (world) => {
      const user = await world.user()
      await page(world, user, snappymail, [status])
      await page(world, user, anotherProgram, [])
      const moved = await page(world, user, anotherProgram, [status])
      expect(moved.endsWith(' lasting CONDSTORE'), `it finds ${quote(moved)}`)
      expect(world.dials().length === 2, `${world.dials().length} logins`)
      const who = await page(world, user, (number) => `plain${number}`, [])
      expect(who.endsWith(' lasting nothing'), `a plain session finds ${quote(who)}`)
      expect(world.dials().length === 2, `the plain session made a login`)
    },
  },
  lasting('notify', 'NOTIFY of one session sends nothing to the next', 'NOTIFY SET (personal (MessageNew))'),
  lasting('language', 'LANGUAGE of one session does not affect the next', 'LANGUAGE DE'),
  lasting('comparator', 'COMPARATOR of one session does not affect the next', 'COMPARATOR i;octet'),
  lasting(
    'context',
    'SEARCH RETURN (UPDATE) of one session sends nothing to the next',
    'SELECT INBOX',
    'SEARCH RETURN (UPDATE) ALL',
  ),
  refused(
    'second-login',
    'a second login on a logged-in connection is refused and never reaches the server',
    'LOGIN OTHER',
    'AUTHENTICATE PLAIN',
    'AUTHENTICATE PLAIN AHgAeA==',
    'login OTHER',
  ),
  refused(
    'unauthenticate',
    'UNAUTHENTICATE is refused, so the user of a connection cannot change (D5)',
    'UNAUTHENTICATE',
    'unauthenticate',
  ),
  refused('compress', 'COMPRESS is refused, in upper and lower case', 'COMPRESS DEFLATE', 'Compress deflate'),
  refused('starttls', 'STARTTLS after login is refused and never reaches the server', 'STARTTLS'),
  {
    name: 'identity-swap',
    guarantee:
      'after UNAUTHENTICATE and a LOGIN as another user, the first user’s next session belongs to the first user (D5)',
    on: 'stub',
    run: async (world) => {
      const [user, mallory] = [await world.user(), await world.user()]
      const first = await world.login(user)
      await first.client.command('UNAUTHENTICATE')
      await first.client.command(`LOGIN ${mallory.name} ${mallory.secret}`)
      await first.client.command('LOGOUT')
      await settled(world.proxy)
      await expectOwn(await world.login(user))
    },
  },
  {
    name: 'notify-late-news',
    guarantee: 'a notification requested by NOTIFY never reaches a session that did not request it',
    on: 'stub',
    run: async (world) => {
      const user = await world.user()
      const first = await world.login(user)
      await first.client.command('NOTIFY SET (personal (MessageNew))')
      await logout(first)
      await settled(world.proxy)
      const next = await world.login(user)
      for (const connection of world.stub.connections)
        if (connection.open && connection.lasting.has('NOTIFY'))
          connection.send('* STATUS secret-box (MESSAGES 7)\r\n')
      await expectOwn(next)
    },
  },
  {
    name: 'enable-again',
    guarantee:
      'a session that ENABLEs the same extension as an earlier one has it enabled and gets one reply; the next session starts clean',
    on: 'stub',
    run: async (world) => {
      const user = await world.user()
      for (let round = 0; round < 3; round++) {
        const { client } = await world.login(user)
        const tags = [client.tag(), client.tag(), client.tag()] as const
        client.send(`${tags[0]} ENABLE QRESYNC\r\n${tags[1]} WHOAMI\r\n${tags[2]} LOGOUT\r\n`)
        const enable = await client.reply(tags[0])
        const said = enable.untagged.join('\r\n')
        expect(enable.status === 'OK' && said === '* ENABLED QRESYNC', `ENABLE was answered ${quote(said)}`)
        const who = (await client.reply(tags[1])).untagged.join(' ')
        expect(who.endsWith(' lasting QRESYNC'), `after ENABLE QRESYNC the server says ${quote(who)}`)
        await client.rest()
        await settled(world.proxy)
      }
      const plain = await world.login(user)
      const who = (await plain.client.command('WHOAMI')).untagged.join(' ')
      const isPromised = plain.reused && who.endsWith(' lasting QRESYNC')
      expect(who.endsWith(' lasting nothing') || isPromised, `a session without ENABLE finds ${quote(who)}`)
    },
  },
  {
    name: 'enable-promise',
    guarantee:
      'of two idle connections, one with extensions and one clean, the clean one is never announced by XPROXYREUSE',
    on: 'stub',
    run: async (world) => {
      const user = await world.user()
      const [horde, roundcube] = [await world.login(user), await world.login(user)]
      await horde.client.command('ENABLE QRESYNC')
      await logout(horde)
      await logout(roundcube)
      await settled(world.proxy)
      const next = await world.login(user)
      const who = (await next.client.command('WHOAMI')).untagged.join(' ')
      const isKept = !next.reused || who.endsWith(' lasting QRESYNC')
      expect(isKept, `a client that skips ENABLE when told XPROXYREUSE finds ${quote(who)}`)
    },
  },
]
