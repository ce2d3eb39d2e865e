/** Says that what is shown is old, and since when. Polls go on, so that it goes away by itself. */
import { clockOf } from '../format/time.ts'
import { outage } from '../api/link.ts'

export const AwayBanner = () => (
  <div role="status">
    {outage.value && (
      <p class="away">
        {outage.value.sentence} What you see is from {clockOf(outage.value.since)} or before; it is asked for
        again every few seconds.
      </p>
    )}
  </div>
)
