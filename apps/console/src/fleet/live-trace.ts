/** The lines of a trace as they come, with reconnects, until it has ended. */
import type { TraceEdgeEvent, TraceEvent } from '@imapfleet/api'
import { useEffect, useState } from 'preact/hooks'
import { noteApiAnswer, noteApiFailure, stream } from '../api/client.ts'

export interface NumberedLine extends TraceEvent {
  /** From 1, in the order of arrival. */
  number: number
}

export interface LiveTrace {
  state: 'connecting' | 'live' | 'lost' | 'ended' | 'refused'
  /** When the connection was lost. */
  since?: Date
  /** Why control refused it. */
  problem?: unknown
  lines: readonly NumberedLine[]
  /** Number of older lines that are no longer shown. */
  dropped: number
  /** The last event of each edge. */
  edges: ReadonlyMap<string, TraceEdgeEvent>
}

/** A page with more lines than this is slow. The whole trace can be downloaded. */
const linesMax = 5_000
/** Many lines per second are drawn together. */
const drawEveryMs = 100
const beginning: LiveTrace = { state: 'connecting', lines: [], dropped: 0, edges: new Map() }

export function useLiveTrace(id: string): LiveTrace {
  const [trace, setTrace] = useState(beginning)
  useEffect(() => {
    setTrace(beginning)
    const life = new AbortController()
    let count = 0
    let fresh: NumberedLine[] = []
    let isLost = false
    let drawing: ReturnType<typeof setTimeout> | undefined
    const draw = () => {
      drawing = undefined
      const more = fresh
      fresh = []
      setTrace((before) => withLines(before, more))
    }
    const become = (change: Pick<LiveTrace, 'state' | 'since' | 'problem'>) => {
      if (!life.signal.aborted) setTrace((before) => ({ ...before, ...change }))
    }
    const follow = async () => {
      for await (const update of stream('followTrace', { params: { id }, signal: life.signal })) {
        if (update.kind === 'open') {
          noteApiAnswer()
          isLost = false
          become({ state: 'live' })
        } else if (update.kind === 'lost') {
          // A connection that is back within a moment is no outage.
          if (isLost) noteApiFailure(update.error)
          else become({ state: 'lost', since: new Date() })
          isLost = true
        } else if (update.name === 'end') become({ state: 'ended' })
        else if (update.name === 'line') {
          fresh.push({ ...update.data, number: ++count })
          drawing ??= setTimeout(draw, drawEveryMs)
        } else {
          const { data } = update
          setTrace((before) => ({ ...before, edges: new Map(before.edges).set(data.edge, data) }))
        }
      }
    }
    follow().catch((problem: unknown) => {
      noteApiFailure(problem)
      become({ state: 'refused', problem })
    })
    return () => {
      life.abort()
      clearTimeout(drawing)
    }
  }, [id])
  return trace
}

function withLines(before: LiveTrace, more: readonly NumberedLine[]): LiveTrace {
  const all = [...before.lines, ...more]
  const excess = Math.max(0, all.length - linesMax)
  return { ...before, lines: all.slice(excess), dropped: before.dropped + excess }
}
