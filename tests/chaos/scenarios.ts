/** The scenarios in the order in which they run on one stage. */
import { regionIsCutOff } from './leaf-faults.ts'
import { natsIsDown, natsServerHangs, natsServersFail } from './nats-faults.ts'
import { replicasHangAndDie } from './control-faults.ts'
import { standbyIsPromoted } from './postgres-faults.ts'
import type { FaultOptions, ChaosRun } from './chaos-run.ts'

interface Scenario {
  name: string
  guarantee: string
  /** Only by `npm run chaos`. */
  isLong?: true
  /** Why it cannot run on this machine; undefined if it can. */
  missing?: (stage: ChaosRun) => string | undefined
  run: (stage: ChaosRun, options: FaultOptions) => Promise<void>
}

export const chaosScenarios: readonly Scenario[] = [
  {
    name: 'replicas',
    guarantee: 'a replica of control that hangs and one that is killed leave their work to the third',
    run: replicasHangAndDie,
  },
  {
    name: 'nats',
    guarantee: 'a server of the NATS cluster may be killed, lose its store, and be cut off',
    run: natsServersFail,
  },
  {
    name: 'nats-hangs',
    guarantee: 'a server of the NATS cluster may hang',
    isLong: true,
    run: natsServerHangs,
  },
  {
    name: 'deaf',
    guarantee: 'while NATS hangs, control decides nothing about edges',
    run: natsIsDown,
  },
  {
    name: 'leaf',
    guarantee: 'a region that is cut off serves mail, and has everything when it is back',
    run: regionIsCutOff,
  },
  {
    name: 'postgres',
    guarantee: 'the standby of Postgres is promoted in the middle of reports, a rollout and orders',
    missing: ({ pair }) => (pair ? undefined : 'there is no pg_basebackup on this machine'),
    run: standbyIsPromoted,
  },
]
