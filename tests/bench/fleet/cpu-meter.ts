/** CPU time of the parts of a fleet: a figure that does not depend on what else runs on the machine. */
import { cpuSeconds, processTree } from '../accounting.ts'
import type { BenchPlane } from './plane.ts'
import type { PlaneUsage } from './usage.ts'

/** CPU seconds for each unit of work, with control and without it. */
export interface CpuPair {
  own: number
  floor: number
}

export class CpuMeter {
  readonly #pids: number[]
  readonly #idleCores: number

  /**
   * @param parts their CPU counts; `self` is the benchmark, which asks and parses the answer
   * @param idle what these parts use while nothing happens, which is subtracted
   */
  constructor(
    plane: BenchPlane,
    parts: readonly ('api' | 'ingest' | 'nats' | 'postgres' | 'self')[],
    idle?: PlaneUsage,
  ) {
    const roots = {
      api: plane.api.process.pid,
      ingest: plane.ingest.process.pid,
      nats: plane.nats.process?.pid,
      postgres: plane.postgres.process?.pid,
    }
    this.#pids = [
      ...new Set(parts.flatMap((part) => (part === 'self' ? process.pid : processTree(roots[part] ?? 0)))),
    ]
    this.#idleCores = parts.reduce((sum, part) => sum + (part === 'self' ? 0 : (idle?.[part].cores ?? 0)), 0)
  }

  /** Of one piece of work. Single ones are coarse, because the system counts in steps of 10 ms; sums are not. */
  async of<T>(work: () => Promise<T>): Promise<{ result: T; seconds: number }> {
    const end = this.start()
    const result = await work()
    return { result, seconds: end() }
  }

  start(): () => number {
    const before = cpuSeconds(this.#pids)
    const began = performance.now()
    return () => cpuSeconds(this.#pids) - before - (this.#idleCores * (performance.now() - began)) / 1000
  }
}
