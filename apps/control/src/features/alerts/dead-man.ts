/**
 * The timer that pings the dead man's webhook while control works, so that an external monitor notices when control fails.
 * One replica pings, and only if NATS answers and no timer is overdue. Without Postgres there is no lease, and thus no
 * ping.
 */
import type { Deps } from '../../deps.ts'
import { natsHealth } from '../../platform/http/health.ts'
import type { Lease } from '../../platform/ticks/leases.ts'
import { lateTimers } from '../../platform/ticks/ticks.ts'
import { attemptTimeoutMs } from './send.ts'

export const pingEveryMs = 30_000

export async function pingDeadMan(deps: Deps, lease: Lease): Promise<void> {
  const { deadManUrl } = deps.alerting
  if (deadManUrl === undefined) return
  const trouble = await reasonNotToPing(deps, lease.name)
  if (trouble !== undefined) throw new Error(`the dead man's webhook is not pinged: ${trouble}`)
  await lease.check()
  const answer = await fetch(deadManUrl, {
    headers: { 'user-agent': 'imapfleet-control' },
    redirect: 'manual',
    signal: AbortSignal.timeout(attemptTimeoutMs),
  })
  await answer.body?.cancel()
  if (!answer.ok) throw new Error(`the dead man's webhook answered ${answer.status}`)
}

/** Its own timer does not count, because it would then never ping again after an outage of the monitor. */
async function reasonNotToPing(deps: Deps, own: string): Promise<string | undefined> {
  const nats = await natsHealth(deps)
  if (nats !== 'ok') return `NATS: ${nats}`
  const late = (await lateTimers(deps)).filter(({ name }) => name !== own)
  return late.length === 0 ? undefined : late.map(({ name, trouble }) => `${name}: ${trouble}`).join('; ')
}
