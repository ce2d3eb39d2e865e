/** Measures one scenario. All contestants keep running and take turns with each repetition. */
import { machineTimes } from '../accounting.ts'
import type { Contestant } from './contestants/contestant.ts'
import { startLine, type Line } from './line.ts'
import type { ContestantName, EdgeBenchOptions } from './options.ts'
import { BenchError } from '../problem.ts'
import { runLoad, type LoadResult } from './programs.ts'
import type { BenchScenario } from './scenarios.ts'
import { residentBytes } from '../../support/resident-bytes.ts'

/** One repetition. */
export interface Sample {
  sessionsPerSecond: number
  sessionP50Ms: number
  sessionP99Ms: number
  loginP50Ms: number
  loginP99Ms: number
  /** CPU of the proxy per session. */
  cpuUs: number
  /** CPU of the load generator and of the stub server per session. */
  harnessCpuUs: number
  residentBytes: number
  /** Logins that reached the server, per session. */
  serverLogins: number
  stalled: number
  /** CPU used by other programs on the machine, as a share of one core. */
  othersCpu: number
}

export type Samples = Map<ContestantName, Sample[]>

const quickWarmSeconds = 1

export async function measure(
  scenario: BenchScenario,
  contestants: Contestant[],
  options: EdgeBenchOptions,
): Promise<Samples> {
  const lines: Line[] = []
  const samples: Samples = new Map(contestants.map(({ name }) => [name, []]))
  try {
    for (const contestant of contestants)
      lines.push(await warm(await startLine(contestant, scenario.delayMs), scenario, options))
    for (let repetition = 0; repetition < options.repeat; repetition++)
      for (const line of lines)
        samples.get(line.contestant.name)?.push(await sample(line, scenario, options.seconds))
  } finally {
    for (const line of lines) await line.stop()
  }
  return samples
}

/** Warms up: gives every user a cached connection, and the proxy does its one-time work. */
async function warm(line: Line, scenario: BenchScenario, options: EdgeBenchOptions): Promise<Line> {
  const { script, users } = scenario
  const order = { port: line.port, users, script, watch: [] }
  await runLoad({ ...order, atOnce: Math.min(8, scenario.atOnce), length: { sessions: users } })
  await runLoad({
    ...order,
    atOnce: scenario.atOnce,
    length: { seconds: options.quick ? quickWarmSeconds : scenario.warmSeconds },
  })
  return line
}

async function sample(line: Line, scenario: BenchScenario, seconds: number): Promise<Sample> {
  const { script, atOnce, users } = scenario
  const pids = line.pids()
  const watch = [...pids, ...line.bystanders]
  const before = await line.stub.counts()
  const times = machineTimes()
  const began = performance.now()
  const result = await runLoad({ port: line.port, atOnce, users, script, length: { seconds }, watch })
  const tookNs = (performance.now() - began) * 1e6
  const { busyNs, stolenNs } = machineTimes()
  const busy = busyNs - times.busyNs + stolenNs - times.stolenNs
  const after = await line.stub.counts()
  refuseFailures(line, scenario, result, after.errors)
  const proxyCpu = sum(result.cpu.watched.slice(0, pids.length))
  const harnessCpu = result.cpu.own + sum(result.cpu.watched.slice(pids.length))
  return {
    sessionsPerSecond: result.inTime / (result.elapsed / 1e9),
    sessionP50Ms: result.session.p50 / 1e6,
    sessionP99Ms: result.session.p99 / 1e6,
    loginP50Ms: result.login.p50 / 1e6,
    loginP99Ms: result.login.p99 / 1e6,
    cpuUs: proxyCpu / 1e3 / result.sessions,
    harnessCpuUs: harnessCpu / 1e3 / result.sessions,
    residentBytes: residentBytes(pids),
    serverLogins: (after.logins - before.logins) / result.sessions,
    stalled: result.stalled,
    othersCpu: Math.max(0, busy - proxyCpu - harnessCpu) / tookNs,
  }
}

/** Fails if a byte was wrong. imapproxy is known to lose connections if many arrive at the same time. */
export function refuseFailures(
  line: Line,
  scenario: { key: string },
  result: LoadResult,
  stubErrors: number,
): void {
  const name = line.contestant.name
  if (result.failures > 0 || stubErrors > 0)
    throw new BenchError(
      `${name}, ${scenario.key}: ${result.failures} sessions got wrong bytes, the server refused ${stubErrors} commands`,
    )
  if (result.stalled > 0 && name !== 'imapproxy')
    throw new BenchError(`${name}, ${scenario.key}: ${result.stalled} sessions got no answer`)
  if (result.sessions === 0) throw new BenchError(`${name}, ${scenario.key}: no session ended in time`)
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
