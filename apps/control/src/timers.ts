/** The timers of control. */
import { cleanUp } from './clean-up.ts'
import type { Deps } from './deps.ts'
import { pingDeadMan, pingEveryMs } from './features/alerts/dead-man.ts'
import { deliverEveryMs, sendAlertMessages } from './features/alerts/deliver.ts'
import { judgeAlerts, judgeEveryMs } from './features/alerts/judge.ts'
import { reconcile } from './features/desired/service.ts'
import { enforceEnrolments } from './features/enrolments/service.ts'
import { forgetOldHistory, makePartitions } from './features/history/partitions.ts'
import { rollUp } from './features/history/roll-up.ts'
import { advanceAllOperations } from './features/operations/actions.ts'
import { advanceRollouts } from './features/rollouts/service.ts'
import { endForfeitedTraces } from './features/traces/service.ts'
import { watchShares } from './platform/nats/shares.ts'
import { endHungSessions } from './platform/db/hung-sessions.ts'
import type { Tick } from './platform/ticks/ticks.ts'

const natsIsBack = async ({ bus }: Deps, signal: AbortSignal) => await bus.nextUp(signal)

export const timers: readonly Tick[] = [
  { name: 'clean-up', everyMs: 600_000, run: cleanUp },
  { name: 'partitions', everyMs: 3_600_000, run: makePartitions },
  { name: 'retention', everyMs: 3_600_000, run: forgetOldHistory },
  { name: 'rollups', everyMs: 5_000, run: rollUp },
  { name: 'rollouts', everyMs: 1_000, run: advanceRollouts },
  { name: 'operations', everyMs: 1_000, run: advanceAllOperations },
  { name: 'reconcile', everyMs: 5_000, run: reconcile, hastened: natsIsBack },
  { name: 'shares', everyMs: 10_000, run: watchShares },
  { name: 'hung-sessions', everyMs: 5_000, run: endHungSessions },
  { name: 'forfeited-traces', everyMs: 2_000, run: endForfeitedTraces },
  { name: 'enrolments', everyMs: 60_000, run: enforceEnrolments, hastened: natsIsBack },
  { name: 'alerts', everyMs: judgeEveryMs, run: judgeAlerts },
  { name: 'alert-messages', everyMs: deliverEveryMs, run: sendAlertMessages },
  { name: 'dead-man', everyMs: pingEveryMs, run: pingDeadMan },
]
