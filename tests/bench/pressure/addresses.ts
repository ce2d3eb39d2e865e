/**
 * Measures a server with two addresses. For a while, one address greets and then fails logins, or takes seconds for each
 * login. Both programs are under the same light load at the same time, each with a separate server.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '@imapfleet/local'
import { startPressed, type PressedName } from './contestants.ts'
import { PressedServer, type Illness } from './mail-server.ts'
import type { PressureOptions } from './options.ts'
import { logInOnce, type LoginAttempt } from './users.ts'

export const comparedNames: readonly PressedName[] = ['imapfleet', 'HAProxy']
export const illnesses: readonly Illness[] = ['closes', 'slow']
export const loginsPerSecond = 40
/** Well, then ill for two phases, then well again for three. */
export const phases = ['well', 'ill', 'ill', 'well', 'well', 'well'] as const

export interface PhaseFigures {
  logins: number
  failed: number
  /** Of all that were accepted, those at the address that is ill. */
  shareAtIll: number
  p50Ms: number
  p99Ms: number
}

export type AddressFigures = Map<`${Illness} ${PressedName}`, PhaseFigures[]>

export async function measureAddresses(options: PressureOptions): Promise<AddressFigures> {
  const figures: AddressFigures = new Map()
  const courses = illnesses.flatMap((illness) =>
    comparedNames.map(async (name) => {
      figures.set(`${illness} ${name}`, await runCourse(illness, name, options.phaseSeconds))
    }),
  )
  await Promise.all(courses)
  return figures
}

async function runCourse(illness: Illness, name: PressedName, seconds: number): Promise<PhaseFigures[]> {
  const port = await freePort()
  const capacity = { processes: 200, loginMs: 5, waitingMax: 4000 }
  const [ill, other] = ['127.0.0.2', '127.0.0.1'].map((address) => new PressedServer(address, port, capacity))
  await Promise.all([ill!.start(), other!.start()])
  const proxy = await startPressed(name, [ill!.address, other!.address], port)
  let user = 0
  try {
    const results: PhaseFigures[] = []
    const pending: { phase: number; login: Promise<LoginAttempt> }[] = []
    const accepted: [number, number][] = []
    for (const [phase, state] of phases.entries()) {
      ill!.illness = state === 'ill' ? illness : undefined
      ill!.resetCounts()
      other!.resetCounts()
      const endsAt = performance.now() + seconds * 1000
      for (let next = performance.now(); next < endsAt; next += 1000 / loginsPerSecond) {
        await pause(Math.max(0, next - performance.now()))
        // Each login is of a new user, so that no connection is reused.
        pending.push({ phase, login: logInOnce(proxy.port, `${illness}${user++}`) })
      }
      accepted.push([ill!.counts.accepted, other!.counts.accepted])
    }
    for (const phase of phases.keys()) {
      const logins = await Promise.all(
        pending.filter((each) => each.phase === phase).map(({ login }) => login),
      )
      results.push(phaseFigures(logins, accepted[phase]!))
    }
    return results
  } finally {
    await proxy.stop()
    await Promise.all([ill!.stop(), other!.stop()])
  }
}

function phaseFigures(logins: readonly LoginAttempt[], [atIll, atOther]: [number, number]): PhaseFigures {
  const ms = logins.map((login) => login.ms).toSorted((a, b) => a - b)
  return {
    logins: logins.length,
    failed: logins.filter(({ isServed }) => !isServed).length,
    shareAtIll: atIll / Math.max(1, atIll + atOther),
    p50Ms: ms[Math.floor(ms.length * 0.5)] ?? NaN,
    p99Ms: ms[Math.floor(ms.length * 0.99)] ?? NaN,
  }
}
