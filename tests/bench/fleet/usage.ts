/** CPU and memory of each part over a period, and the CPU used by other programs. */
import { cpuSeconds, machineBusyNs, processTree } from '../accounting.ts'
import type { Herd } from './herd/herd.ts'
import type { BenchPlane } from './plane.ts'
import { residentBytes } from '../../support/resident-bytes.ts'

export interface Usage {
  /** Share of one core. */
  cores: number
  residentBytes: number
}

export interface PlaneUsage {
  api: Usage
  ingest: Usage
  nats: Usage
  postgres: Usage
  herd: Usage
  /** Share of one core used by other programs. */
  othersCores: number
}

/** Starts the measurement. The returned function ends it and returns the usage. */
export function usageOf(plane: BenchPlane, herd: Herd): () => PlaneUsage {
  const watch = {
    api: watchOne([plane.api.process.pid]),
    ingest: watchOne([plane.ingest.process.pid]),
    nats: watchOne([plane.nats.process?.pid]),
    postgres: watchOne([plane.postgres.process?.pid]),
    herd: watchOne(herd.pids),
    self: watchOne([process.pid], () => [process.pid]),
  }
  const busy = machineBusyNs()
  const began = performance.now()
  return () => {
    const [api, ingest, nats, postgres, ours, self] = [
      watch.api(),
      watch.ingest(),
      watch.nats(),
      watch.postgres(),
      watch.herd(),
      watch.self(),
    ]
    const all = (machineBusyNs() - busy) / 1e6 / (performance.now() - began)
    const known = [api, ingest, nats, postgres, ours, self].reduce((sum, { cores }) => sum + cores, 0)
    return { api, ingest, nats, postgres, herd: ours, othersCores: Math.max(0, all - known) }
  }
}

function watchOne(
  roots: (number | undefined)[],
  pidsOf = () => roots.flatMap((pid = 0) => processTree(pid)),
): () => Usage {
  const before = cpuSeconds(pidsOf())
  const began = performance.now()
  return () => {
    const pids = pidsOf()
    const seconds = (performance.now() - began) / 1000
    return { cores: (cpuSeconds(pids) - before) / seconds, residentBytes: residentBytes(pids) }
  }
}
