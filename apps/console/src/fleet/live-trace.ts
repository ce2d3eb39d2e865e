/** The lines of a trace as they come. The browser connects again by itself, and goes on after the last event it has seen. */
import {
  traceEdgeEventSchema,
  traceEventSchema,
  type TraceEdgeEvent,
  type TraceEvent,
} from '@imapfleet/protocol'
import { useEffect, useState } from 'preact/hooks'

export interface LiveTrace {
  state: 'connecting' | 'live' | 'lost' | 'ended'
  lines: readonly TraceEvent[]
  /** Lines that were there and are no longer shown. */
  dropped: number
  /** The last that each edge said of its part. */
  edges: ReadonlyMap<string, TraceEdgeEvent>
}

/** A page with more lines than this is slow; the whole trace can be downloaded. */
const linesMax = 5_000
const beginning: LiveTrace = { state: 'connecting', lines: [], dropped: 0, edges: new Map() }

export function useLiveTrace(id: string): LiveTrace {
  const [trace, setTrace] = useState(beginning)
  useEffect(() => {
    setTrace(beginning)
    const source = new EventSource(`/v1/traces/${encodeURIComponent(id)}/live`)
    // Many lines a second make one picture.
    let fresh: TraceEvent[] = []
    let drawing: ReturnType<typeof setTimeout> | undefined
    const draw = () => {
      drawing = undefined
      const more = fresh
      fresh = []
      setTrace((before) => {
        const all = [...before.lines, ...more]
        const excess = Math.max(0, all.length - linesMax)
        return { ...before, lines: all.slice(excess), dropped: before.dropped + excess }
      })
    }
    const become = (state: LiveTrace['state']) =>
      setTrace((before) => (before.state === 'ended' ? before : { ...before, state }))
    source.addEventListener('open', () => become('live'))
    source.addEventListener('error', () => become('lost'))
    source.addEventListener('line', ({ data }) => {
      const line = traceEventSchema.safeParse(JSON.parse(String(data)))
      if (!line.success) return
      fresh.push(line.data)
      drawing ??= setTimeout(draw, 100)
    })
    source.addEventListener('edge', ({ data }) => {
      const edge = traceEdgeEventSchema.safeParse(JSON.parse(String(data)))
      if (edge.success)
        setTrace((before) => ({ ...before, edges: new Map(before.edges).set(edge.data.edge, edge.data) }))
    })
    source.addEventListener('end', () => {
      become('ended')
      source.close()
    })
    return () => {
      source.close()
      clearTimeout(drawing)
    }
  }, [id])
  return trace
}
