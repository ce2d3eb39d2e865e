/**
 * Shows that the data of the page is old, and of which time it is. It polls control itself, so that a page without polls
 * recovers too.
 */
import { useEffect } from 'preact/hooks'
import { call } from '../api/client.ts'
import { outage } from '../api/outage.ts'
import { momentOf } from '../format/time.ts'

const askEveryMs = 2_000

export function AwayBanner() {
  const isAway = outage.value !== undefined
  useEffect(() => {
    if (!isAway) return
    // One request at a time: a browser has few connections to a host. `outage` follows the result.
    let timer: ReturnType<typeof setTimeout> | undefined
    const life = new AbortController()
    const ask = async () => {
      await call('readSession', { signal: life.signal }).catch(() => undefined)
      if (!life.signal.aborted) timer = setTimeout(() => void ask(), askEveryMs)
    }
    timer = setTimeout(() => void ask(), askEveryMs)
    return () => {
      life.abort()
      clearTimeout(timer)
    }
  }, [isAway])
  return (
    <div role="status">
      {outage.value && (
        <p class="away">
          {outage.value.sentence} {ageWords(outage.value.answeredAt)}
        </p>
      )}
    </div>
  )
}

const ageWords = (answeredAt: Date | undefined) =>
  answeredAt
    ? `The page shows data from ${momentOf(answeredAt, new Date())} or earlier and retries every few seconds.`
    : 'The page retries every few seconds.'
