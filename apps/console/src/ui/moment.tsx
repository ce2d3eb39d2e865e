/** A time by the clock of the browser; the exact one appears when it is pointed at. */
import { momentOf } from '../format/time.ts'

export const Moment = ({ at }: { at: string }) => (
  <time dateTime={at} title={at}>
    {momentOf(new Date(at), new Date())}
  </time>
)
