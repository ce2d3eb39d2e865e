/**
 * Rounds of wild clients and a wild server against one edge process. After each round the edge runs, a session of a new
 * user is correct, the pool agrees with the server, memory is bounded, and no user received or stored data of
 * another user.
 */
import { expectOwn, expectUnselected, logout, sessionOf } from '../conformance/checks.ts'
import {
  expect,
  type LoggedIn,
  type MailAccount,
  type Scenario,
  type StubWorld,
} from '../conformance/scenario.ts'
import { Mismatch, quote } from '../conformance/wire.ts'
import { makeWorld, startStage, type Stage } from '../conformance/world.ts'
import { Random } from './random.ts'
import { runWildClient, type Told } from './wild-client.ts'
import { makeWild, surprise } from './wild-server.ts'
import { residentBytes } from '../support/resident-bytes.ts'

export interface FuzzResult {
  rounds: number
  clients: number
  /** Commands that were answered by what the edge had asked ahead. */
  aheadUsed: number
  /** What was found, and the seed whose first round shows it. */
  finding?: { seed: number; seen: string }
}

const warmUpRounds = 6
const growthBytesMax = 128 << 20

export async function fuzz(options: {
  seconds: number
  seed: number
  onRound?: (rounds: number) => void
}): Promise<FuzzResult> {
  const scenario = setting(options.seed)
  const stage = await startStage('ours', scenario)
  const result: FuzzResult = { rounds: 0, clients: 0, aheadUsed: 0 }
  let ceiling = Infinity
  try {
    for (const end = Date.now() + options.seconds * 1000; Date.now() < end; result.rounds++) {
      result.clients += await playRound(stage, scenario, new Random(options.seed + result.rounds))
      const memory = residentBytes([stage.proxy.pid])
      expect(memory < ceiling, `the memory of the edge has grown to ${memory >> 20} MB`)
      if (result.rounds === warmUpRounds) ceiling = memory + growthBytesMax
      options.onRound?.(result.rounds + 1)
    }
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error
    const ending = stage.proxy.ending()
    const died = ending === undefined ? '' : `the edge died (${ending}): `
    const log = stage.proxy.log().split('\n').slice(-8).join('\n')
    result.finding = { seed: options.seed + result.rounds, seen: `${died}${error.message}\n${log}` }
  } finally {
    result.aheadUsed = await stage.proxy.aheadUsed()
    await stage.stop()
  }
  return result
}

/** Short times and small limits, so that a run reaches every timer and every bound. */
function setting(seed: number): Scenario {
  return {
    name: 'fuzz',
    guarantee: 'nothing that a client or a server sends ends the process or reaches another user',
    on: 'stub',
    config: {
      clients: { loginTimeoutMs: 4000, lineBytesMax: 4096, preloginBytesMax: 16_384, loginFailuresMax: 5 },
      upstreams: {
        main: {
          connectTimeoutMs: 400,
          loginTimeoutMs: 400,
          connectionsMax: 40,
          queueTimeoutMs: 500,
          ahead: seed % 3 === 0 ? 'off' : 'on',
          aheadRoundTripMinMs: 0,
        },
      },
      pool: {
        resetTimeoutMs: 300,
        replyTimeoutMs: 1000,
        resetBytesMax: 32_768,
        proveIdleAfterMs: 500,
        idleTimeoutMs: 3000,
        usesMax: 20,
        selectCache: seed % 2 === 0 ? 'off' : 'exact',
      },
      log: { level: 'info' },
    },
    run: () => Promise.resolve(),
  }
}

/**
 * In every other round the server behaves correctly, and wild clients run beside correct clients of the same users, whose
 * sessions must be correct from start to end. In the remaining rounds the server is wild too, and only sessions of another
 * user must be correct.
 */
async function playRound(stage: Stage, scenario: Scenario, random: Random): Promise<number> {
  const { world, conclude } = makeWorld(stage, scenario)
  const users = await Promise.all(
    Array.from({ length: 1 + random.below(3) }, () => world.user(`wild${random.letters(6)}`)),
  )
  const isWild = (name: string) => name.startsWith('wild')
  const isServerWild = random.chance(0.5)
  if (isServerWild) makeWild(world.stub, random.fork(), isWild)
  let isOver = false
  const correctUser = await world.user()
  const witnesses = isServerWild ? [correctUser] : [correctUser, ...users, ...users]
  const seen = Promise.allSettled(witnesses.map((user) => watch(world, user, isServerWild, () => isOver)))
  const whims = random.fork()
  const timer = setInterval(() => {
    if (isServerWild) surprise(world.stub, whims, isWild)
    if (whims.chance(0.3)) world.stub.trigger()
  }, 20)
  const told: Told[] = []
  const wild = Array.from({ length: 4 + random.below(6) }, async () => {
    const own = random.fork()
    for (let visits = 1 + own.below(4); visits > 0; visits--)
      told.push(
        await runWildClient(own, stage.proxy.port, own.pick(users as [MailAccount, ...MailAccount[]])),
      )
  })
  await Promise.all(wild)
  clearInterval(timer)
  isOver = true
  world.stub.reset()
  const failed = (await seen).find((outcome) => outcome.status === 'rejected')
  if (failed) throw failed.reason as Error
  await conclude()
  expectSeparate(told)
  expectWholeMail(told)
  for (const user of users) await expectMailsSent(world, user, told)
  for (const user of users) world.stub.accounts.delete(user.name)
  world.stub.forget()
  return told.length
}

/** Correct sessions, one after the other: a user that logs in sees its own data and nothing else. */
async function watch(
  world: StubWorld,
  user: MailAccount,
  mayBeRefused: boolean,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    const client = await world.connect()
    const reply = await client.command(`LOGIN ${user.name} ${user.secret}`)
    if (!mayBeRefused || reply.status === 'OK') {
      const session = sessionOf(client, user, reply)
      // What a wild server says instead of a greeting reaches the client too.
      const untagged = session.untagged.filter((line) => !mayBeRefused || !/^\* (?:OK|NO|BAD) /i.test(line))
      await expectOwn({ ...session, untagged })
      await expectUnselected(session)
      await expectPage(session)
      const who = (await client.command('WHOAMI')).untagged.join(' ')
      const left = session.reused ? /NOTIFY|UPDATE|COMPRESS/ : /lasting (?!nothing)/
      expect(!left.test(who), `what another session has done is left: ${who}`)
      await expectOwn({ ...session, untagged: [] })
      await logout(session)
    }
    await client.kill()
  }
}

/** Two questions, one after the other. An edge that asks ahead knows the second one. */
async function expectPage({ client, user }: LoggedIn): Promise<void> {
  const status = await client.command('STATUS INBOX (MESSAGES)')
  expect(status.status === 'OK', `STATUS was answered ${status.status}`)
  const { untagged } = await client.command('LIST "" box-of-*')
  const boxes = untagged.map((line) => line.split(' ').at(-1)?.replaceAll('"', '')).join(' ')
  expect(boxes === `box-of-${user.name}`, `${user.name} was told of ${quote(untagged.join(' '))}`)
}

/** No client received another user's data or the reply to another client's command. */
function expectSeparate(told: readonly Told[]): void {
  for (const { user, prefix, text } of told) {
    const others = [...text.matchAll(/(?:This belongs to|box-of-)\s*(\w+)/g)].find(
      ([, owner]) => owner !== user,
    )
    expect(others === undefined, `a client of ${user} was told ${quote(others?.[0] ?? '')}`)
    const reply = told
      .filter((other) => other.prefix !== prefix)
      // With the space: a mail can contain a NOOP that was part of an APPEND, or a NOTIFY.
      .map((other) => new RegExp(`^${other.prefix}\\d+ (?:OK|NO|BAD) .*`, 'm').exec(text)?.[0])
      .find((line) => line !== undefined)
    expect(reply === undefined, `a client got the reply to another client’s command: ${quote(reply ?? '')}`)
  }
}

/** The edge's own last words, which the client must not read as mail. */
const lastWords = /\* BYE (?:\[UNAVAILABLE\] |Command |Literal |Idle |Session |Server )[^\r\n]*\r\n/

/** No word of the edge is within a literal: the connection ends there instead. */
function expectWholeMail(told: readonly Told[]): void {
  for (const { text } of told) {
    const open = openLiteral(text)
    const said = lastWords.exec(open)?.[0]
    expect(said === undefined, `a client was told within a literal: ${quote(open)}`)
  }
}

/** What came of a literal that has no end. */
function openLiteral(text: string): string {
  for (let at = 0; ;) {
    const end = text.indexOf('\n', at)
    if (end < 0) return ''
    const line = text.slice(at, end)
    const size = /^(?:\* \d+ FETCH|\* LIST|\* SEARCH|\)).*\{(\d+)\}\r$/.exec(line)?.[1]
    at = end + 1 + Number(size ?? 0)
    if (at > text.length) return text.slice(end + 1)
  }
}

/** Every mail is, byte by byte, a part of what one client sent. */
async function expectMailsSent(world: StubWorld, user: MailAccount, told: readonly Told[]): Promise<void> {
  for (const body of (await world.bodies(user)).slice(3)) {
    const isSent = told.some(({ sent }) => sent.includes(body))
    expect(isSent, `a mail was stored that no client has sent: ${quote(body)}`)
  }
}
