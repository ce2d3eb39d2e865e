/** Lets control check an input, shortly after the user stopped typing. */
import { useEffect, useRef, useState } from 'preact/hooks'

export interface Check<Data> {
  /** Undefined while the check runs, and without an input. */
  data: Data | undefined
  /** The last refusal. It stays visible until the next result. */
  problem: Error | undefined
}

const pauseMs = 300

/** `key`: what the check depends on; undefined: nothing to check. */
export function useCheck<Data>(
  key: string | undefined,
  ask: (signal: AbortSignal) => Promise<Data>,
): Check<Data> {
  const [state, setState] = useState<{ key?: string | undefined; data?: Data; problem?: Error }>({})
  const latest = useRef(ask)
  latest.current = ask
  useEffect(() => {
    if (key === undefined) return setState({})
    const life = new AbortController()
    const run = async () => {
      try {
        const data = await latest.current(life.signal)
        if (!life.signal.aborted) setState({ key, data })
      } catch (error) {
        if (!life.signal.aborted)
          setState({ key, problem: error instanceof Error ? error : new Error(String(error)) })
      }
    }
    const timer = setTimeout(() => void run(), pauseMs)
    return () => {
      clearTimeout(timer)
      life.abort()
    }
  }, [key])
  return { data: state.key === key ? state.data : undefined, problem: state.problem }
}
