/** What a page shows of control: asked at once, again every now and then, and as soon as control is back after an outage. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { Away, Refusal } from './problem.ts'

export interface AnswerState<Data> {
  /** The last that came; it stays while a later question fails. */
  data: Data | undefined
  /** Why the last question failed. */
  problem: Error | undefined
  /** When `data` came. */
  at: Date | undefined
  /** Asks again now. */
  reload: () => void
}

const retryMs = 2_000

/** `key`: what the question depends on; another key is another question, whose data begins empty. */
export function useAnswer<Data>(
  key: string,
  load: (signal: AbortSignal) => Promise<Data>,
  { everyMs }: { everyMs?: number } = {},
): AnswerState<Data> {
  const [state, setState] = useState<{ key: string; data?: Data; problem?: Error; at?: Date }>({ key })
  const [turn, setTurn] = useState(0)
  const latest = useRef(load)
  latest.current = load

  useEffect(() => {
    const life = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const again = (ms: number) => (timer = setTimeout(() => void run(), ms))
    const run = async () => {
      // Nobody looks at it: ask when somebody does.
      if (document.hidden) return document.addEventListener('visibilitychange', () => void run(), onceOnly)
      try {
        const data = await latest.current(life.signal)
        if (life.signal.aborted) return
        setState({ key, data, at: new Date() })
        if (everyMs !== undefined) again(everyMs)
      } catch (error) {
        if (life.signal.aborted) return
        const problem = error instanceof Error ? error : new Error(String(error))
        setState((before) => ({ ...(before.key === key ? before : { key }), problem }))
        if (problem instanceof Away || (problem instanceof Refusal && problem.isPassing))
          again(Math.min(retryMs, everyMs ?? retryMs))
        else if (everyMs !== undefined && !(problem instanceof Refusal)) again(everyMs)
      }
    }
    const onceOnly = { once: true, signal: life.signal }
    void run()
    return () => {
      life.abort()
      clearTimeout(timer)
    }
  }, [key, turn, everyMs])

  const reload = useCallback(() => setTurn((before) => before + 1), [])
  const current = state.key === key ? state : undefined
  return { data: current?.data, problem: current?.problem, at: current?.at, reload }
}
