/**
 * Measures a restart of the mail server under many users: all have a connection, then the server is gone for a while, and
 * everybody comes again until served.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '@imapfleet/local'
import { pressedNames, startPressed, type PressedName } from './contestants.ts'
import { PressedServer, type ServerCapacity } from './mail-server.ts'
import type { PressureOptions } from './options.ts'
import { logInOnce, logInUntilServed } from './users.ts'

export interface RestartFigures {
  /** Since the server has been back. */
  allServedMs: number
  halfServedMs: number
  failedLogins: number
  /** From the attempt that was served, in ascending order. */
  servedMs: number[]
  connections: number
  waitingPeak: number
  displaced: number
  notServed: number
  /** What users saw instead, with its count. */
  answers: Map<string, number>
}

export type RestartSamples = Map<PressedName, RestartFigures[]>

/** Before the restart everything is quick. */
const warm: ServerCapacity = { processes: 200, loginMs: 1, waitingMax: 4000 }
/** After it, caches are cold: 400 logins a second. */
export const cold: ServerCapacity = { processes: 20, loginMs: 50, waitingMax: 200 }
export const downMs = 2_000
/** Until a user tries again after a failure: at least so long, at most twice. */
export const betweenMs = 1_000
/** How long users come again. */
export const limitMs = 20_000

export async function measureRestarts(options: PressureOptions): Promise<RestartSamples> {
  const samples: RestartSamples = new Map(pressedNames.map((name) => [name, []]))
  for (let round = 0; round < options.repeat; round++)
    for (const name of pressedNames) {
      const beganAt = performance.now()
      samples.get(name)!.push(await restartOnce(name, options.users))
      console.log(`restart with ${name}: ${Math.round((performance.now() - beganAt) / 1000)} s`)
    }
  return samples
}

async function restartOnce(name: PressedName, users: number): Promise<RestartFigures> {
  const server = new PressedServer('127.0.0.1', await freePort(), warm)
  await server.start()
  const proxy = await startPressed(name, [server.address], server.port)
  try {
    const names = Array.from({ length: users }, (_, index) => `user${index}`)
    // In parts, so that this is no storm itself.
    for (let at = 0; at < users; at += 50)
      await Promise.all(names.slice(at, at + 50).map((user) => logInOnce(proxy.port, user)))
    server.resetCounts()
    await server.stop()
    const endsAt = performance.now() + downMs + limitMs
    const visits = names.map(async (user) => {
      await pause(Math.random() * betweenMs)
      return await logInUntilServed(proxy.port, user, betweenMs, endsAt)
    })
    await pause(downMs)
    server.capacity = cold
    await server.start()
    const backAt = performance.now()
    const attempts = await Promise.all(visits)
    return figuresOf(attempts, backAt, server)
  } finally {
    await proxy.stop()
    await server.stop()
  }
}

function figuresOf(
  visits: readonly Awaited<ReturnType<typeof logInUntilServed>>[],
  backAt: number,
  { counts }: PressedServer,
): RestartFigures {
  const served = visits.flatMap((attempts) => attempts.filter(({ isServed }) => isServed))
  const failed = visits.flatMap((attempts) => attempts.filter(({ isServed }) => !isServed))
  const doneMs = served.map(({ at, ms }) => at + ms - backAt).toSorted((a, b) => a - b)
  const answers = new Map<string, number>()
  for (const { answer } of failed) answers.set(answer, (answers.get(answer) ?? 0) + 1)
  return {
    allServedMs: served.length === visits.length ? doneMs.at(-1)! : Infinity,
    halfServedMs: doneMs[Math.floor(visits.length / 2)] ?? Infinity,
    failedLogins: failed.filter(({ at, ms }) => at + ms > backAt).length,
    servedMs: served.map(({ ms }) => ms).toSorted((a, b) => a - b),
    connections: counts.connections,
    waitingPeak: counts.waitingPeak,
    displaced: counts.displaced,
    notServed: visits.length - served.length,
    answers,
  }
}
