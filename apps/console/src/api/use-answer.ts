/** Data of a page: requested immediately, at intervals, and when control is available again after an outage. */
import { useCallback, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { isTransient, ProblemError } from '@imapfleet/client'

export interface AnswerState<Data> {
  /** The last answer. It stays while a later request fails. */
  data: Data | undefined
  /** Why the last request failed. */
  problem: Error | undefined
  /** When `data` arrived. */
  at: Date | undefined
  /** Requests again now. */
  reload: () => void
}

interface AnswerOptions<Data> {
  /** The pause until the next request; a function computes it from the answer. */
  everyMs?: number | ((data: Data) => number)
  /** The most important data of the page: it is requested, and drawn, first. */
  after?: Pick<AnswerState<unknown>, 'data' | 'problem'>
}

const retryMs = 2_000

/** `key`: what the request depends on. Another key is another request, and starts without data. */
export function useAnswer<Data>(
  key: string,
  load: (signal: AbortSignal) => Promise<Data>,
  { everyMs, after }: AnswerOptions<Data> = {},
): AnswerState<Data> {
  const [state, setState] = useState<{ key: string; data?: Data; problem?: Error; at?: Date }>({ key })
  const [turn, setTurn] = useState(0)
  const latest = useRef(load)
  latest.current = load
  // For the whole life of the page: the first data may be requested again with another key.
  const isDue = useRef(false)
  if (!after || after.data !== undefined || after.problem) isDue.current = true

  // Before the page is drawn: an effect would begin one frame later.
  useLayoutEffect(() => {
    if (!isDue.current) return undefined
    const life = new AbortController()
    const usualMs = typeof everyMs === 'number' ? everyMs : retryMs
    let timer: ReturnType<typeof setTimeout> | undefined
    const again = (ms: number) => (timer = setTimeout(() => void run(), ms))
    const run = async () => {
      // The page is hidden: request when it is visible.
      if (document.hidden) return document.addEventListener('visibilitychange', () => void run(), onceOnly)
      try {
        const data = await latest.current(life.signal)
        if (life.signal.aborted) return
        setState({ key, data, at: new Date() })
        if (everyMs !== undefined) again(typeof everyMs === 'number' ? everyMs : everyMs(data))
      } catch (error) {
        if (life.signal.aborted) return
        const problem = error instanceof Error ? error : new Error(String(error))
        setState((before) => ({ ...(before.key === key ? before : { key }), problem }))
        if (isTransient(problem)) again(Math.min(retryMs, usualMs))
        else if (everyMs !== undefined && !(problem instanceof ProblemError)) again(usualMs)
      }
    }
    const onceOnly = { once: true, signal: life.signal }
    void run()
    return () => {
      life.abort()
      clearTimeout(timer)
    }
  }, [key, turn, everyMs, isDue.current])

  const reload = useCallback(() => setTurn((before) => before + 1), [])
  const current = state.key === key ? state : undefined
  return { data: current?.data, problem: current?.problem, at: current?.at, reload }
}
