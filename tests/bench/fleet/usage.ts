/** CPU and memory of each part of the plane over a while. */
import { cpuSeconds, processTree, residentBytes } from '../accounting.ts'
import type { Plane } from './plane.ts'

export interface Usage {
  /** Share of one core. */
  cores: number
  residentBytes: number
}

export type PlaneUsage = Record<'api' | 'ingest' | 'nats' | 'postgres', Usage>

/** Begins to watch; what it returns ends it and says what was used meanwhile. */
export function usageOf(plane: Plane): () => PlaneUsage {
  const watch = {
    api: watchOne(plane.api.process.pid),
    ingest: watchOne(plane.ingest.process.pid),
    nats: watchOne(plane.nats.process?.pid),
    postgres: watchOne(plane.postgres.process?.pid),
  }
  return () => ({
    api: watch.api(),
    ingest: watch.ingest(),
    nats: watch.nats(),
    postgres: watch.postgres(),
  })
}

function watchOne(pid = 0): () => Usage {
  const before = cpuSeconds(processTree(pid))
  const began = performance.now()
  return () => {
    const pids = processTree(pid)
    const seconds = (performance.now() - began) / 1000
    return { cores: (cpuSeconds(pids) - before) / seconds, residentBytes: residentBytes(pids) }
  }
}
