/**
 * Shows that the data of the page is old, and since when. It polls control itself, so that a page without polls recovers
 * too.
 */
import { useEffect } from 'preact/hooks'
import { call, outage } from '../api/client.ts'
import { clockOf } from '../format/time.ts'

const askEveryMs = 2_000

export function AwayBanner() {
  const isAway = outage.value !== undefined
  useEffect(() => {
    if (!isAway) return
    // `outage` follows the result.
    const timer = setInterval(() => void call('readSession').catch(() => undefined), askEveryMs)
    return () => clearInterval(timer)
  }, [isAway])
  return (
    <div role="status">
      {outage.value && (
        <p class="away">
          {outage.value.sentence} The page shows data from {clockOf(outage.value.since)} or earlier and
          retries every few seconds.
        </p>
      )}
    </div>
  )
}
