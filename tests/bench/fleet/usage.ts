/** CPU and memory of each part over a period, and the CPU used by other programs. */
import { cpuSeconds, machineTimes, processTree } from '../accounting.ts'
import type { Herd } from './herd/herd.ts'
import type { BenchPlane } from './plane.ts'
import { residentBytesOfRunning } from '../../support/resident-bytes.ts'

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
  /** Share of one core that the host of a virtual machine did not give. */
  stolenCores: number
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
  const times = machineTimes()
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
    const { busyNs, stolenNs } = machineTimes()
    const cores = (ns: number) => ns / 1e6 / (performance.now() - began)
    const known = [api, ingest, nats, postgres, ours, self].reduce((sum, each) => sum + each.cores, 0)
    const othersCores = Math.max(0, cores(busyNs - times.busyNs) - known)
    return {
      api,
      ingest,
      nats,
      postgres,
      herd: ours,
      othersCores,
      stolenCores: cores(stolenNs - times.stolenNs),
    }
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
    return { cores: (cpuSeconds(pids) - before) / seconds, residentBytes: residentBytesOfRunning(pids) }
  }
}
