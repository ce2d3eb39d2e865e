/** Measures the memory of an idle cached connection, and checks that the connection exists by logging its user in again. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Contestant } from './contestants/contestant.ts'
import { startLine } from './line.ts'
import { refuseFailures } from './measure.ts'
import type { ContestantName, EdgeBenchOptions } from './options.ts'
import { BenchError } from '../problem.ts'
import { runLoad } from './programs.ts'
import { residentBytes } from '../../support/resident-bytes.ts'

export interface IdleSample {
  connections: number
  residentBytes: number
  bytesEach: number
  /** Share of the cached users that were then served without a login at the server. */
  servedFromCache: number
}

export type IdleSamples = Map<ContestantName, IdleSample[]>

/** Connections before the measurement, so that memory that a process needs once is not counted. */
const warmUsers = 200
const warmRounds = 20
const settleMs = 3_000
const script = 'LQ'

export async function measureIdle(
  contestants: Contestant[],
  options: EdgeBenchOptions,
): Promise<IdleSamples> {
  const caching = contestants.filter(({ idleMax }) => idleMax > 0)
  const samples: IdleSamples = new Map(caching.map(({ name }) => [name, []]))
  // Each repetition starts a new process and takes long: three are enough.
  for (let repetition = 0; repetition < Math.min(3, options.repeat); repetition++)
    for (const contestant of caching) samples.get(contestant.name)?.push(await sample(contestant))
  return samples
}

async function sample(contestant: Contestant): Promise<IdleSample> {
  const line = await startLine(contestant, 0)
  try {
    const load = async (users: number, sessions: number) => {
      const order = { port: line.port, atOnce: 16, users, script, length: { sessions }, watch: [] }
      refuseFailures(line, { key: 'idle' }, await runLoad(order), (await line.stub.counts()).errors)
      await pause(settleMs)
      return { ...(await line.stub.counts()), resident: residentBytes(line.pids()) }
    }
    const few = await load(warmUsers, warmUsers * warmRounds)
    const many = await load(contestant.idleMax, contestant.idleMax)
    if (many.open < contestant.idleMax * 0.98)
      throw new BenchError(`${contestant.name}, idle: only ${many.open} of ${contestant.idleMax} were cached`)
    const again = await load(contestant.idleMax, contestant.idleMax)
    return {
      connections: many.open,
      residentBytes: many.resident,
      bytesEach: (many.resident - few.resident) / (many.open - few.open),
      servedFromCache: 1 - (again.logins - many.logins) / contestant.idleMax,
    }
  } finally {
    await line.stop()
  }
}
