/** Checks what control needs to work. */
import { reasonOf } from '@imapfleet/observe'
import { ping } from '../db/database.ts'
import type { Deps } from '../../deps.ts'

export interface HealthReport {
  ready: boolean
  /** `ok`, or the reason why not. */
  postgres: string
  nats: string
}

const patienceMs = 3_000

export async function checkHealth({ db, bus }: Deps): Promise<HealthReport> {
  const [postgres, nats] = await Promise.all([standing(ping(db)), standing(bus.ping())])
  return { ready: postgres === 'ok' && nats === 'ok', postgres, nats }
}

export async function checkPostgres({ db }: Pick<Deps, 'db'>): Promise<string> {
  return await standing(ping(db))
}

async function standing(answer: Promise<void>): Promise<string> {
  const { promise: patience, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no answer within ${patienceMs / 1000} s`)), patienceMs)
  try {
    await Promise.race([answer, patience])
    return 'ok'
  } catch (error) {
    return reasonOf(error)
  } finally {
    clearTimeout(timer)
  }
}
