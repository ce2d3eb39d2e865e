/** Requests of screens and of Prometheus: how long each takes, and how many bytes it brings. */
import { edgeListSchema } from '@imapfleet/api'
import { BenchError } from '../problem.ts'
import type { BenchPlane } from '../fleet/plane.ts'

export interface RequestFigures {
  /** Milliseconds of each repeat. */
  ms: number[]
  bytes: number
}

export interface LiveFigures {
  /** Until all edges were received. */
  firstMs: number
  firstBytes: number
  /** Afterwards. */
  ticksPerSecond: number
  bytesPerSecond: number
}

const hourMs = 3_600_000

/** What the overview of the console asks for: all edges, and the traffic of an hour by region. */
export function readOverview(plane: BenchPlane, edges: number): () => Promise<number> {
  const metrics = 'sessions_total,logins_total,upstream_connections_total,upstream_reuses_total'
  return async () => {
    const from = new Date(Date.now() - hourMs).toISOString()
    const query = new URLSearchParams({ metrics, from, groupBy: 'region' })
    const [all, history] = await Promise.all([
      readAllEdges(plane, edges)(),
      plane.read(`/v1/stats/history?${query.toString()}`),
    ])
    return all + history.length
  }
}

/** Page by page. */
export function readAllEdges(plane: BenchPlane, edges: number): () => Promise<number> {
  return async () => {
    let bytes = 0
    let count = 0
    for (let after: string | null | undefined = ''; after !== null && after !== undefined;) {
      const text = await plane.read(`/v1/edges${after === '' ? '' : `?after=${after}`}`)
      const page = edgeListSchema.parse(JSON.parse(text))
      bytes += text.length
      count += page.edges.length
      after = page.next
    }
    if (count !== edges) throw new BenchError(`/v1/edges shows ${count} of ${edges} edges`)
    return bytes
  }
}

/** `read` returns the bytes of the answer. */
export async function measureRequest(times: number, read: () => Promise<number>): Promise<RequestFigures> {
  const ms: number[] = []
  let bytes = 0
  for (let index = -1; index < times; index++) {
    const began = performance.now()
    bytes = await read()
    if (index >= 0) ms.push(performance.now() - began)
  }
  return { ms, bytes }
}

const watchMs = 10_000

export async function measureLive(plane: BenchPlane, edges: number): Promise<LiveFigures> {
  const stop = new AbortController()
  const began = performance.now()
  const answer = await plane.open('/v1/live', stop.signal)
  const seen = new Set<string>()
  const figures = { firstMs: 0, firstBytes: 0, ticks: 0, bytes: 0 }
  let rest = ''
  let since = began
  try {
    for await (const chunk of answer.pipeThrough(new TextDecoderStream())) {
      rest += chunk
      const events = rest.split('\n\n')
      rest = events.pop() ?? ''
      for (const event of events) {
        const data = /^data: ?(.*)$/m.exec(event)?.[1]
        if (data === undefined) continue
        const now = performance.now()
        if (figures.firstMs > 0) {
          figures.ticks += 1
          figures.bytes += data.length
        } else {
          figures.firstBytes += data.length
          for (const { id } of (JSON.parse(data) as { edges?: { id: string }[] }).edges ?? []) seen.add(id)
          if (seen.size < edges) continue
          figures.firstMs = now - began
          since = now
        }
      }
      if (figures.firstMs > 0 && performance.now() - since >= watchMs) break
    }
  } finally {
    stop.abort()
  }
  const seconds = (performance.now() - since) / 1000
  return {
    firstMs: figures.firstMs,
    firstBytes: figures.firstBytes,
    ticksPerSecond: figures.ticks / seconds,
    bytesPerSecond: figures.bytes / seconds,
  }
}
