/** A time in the time zone of the browser. Hovering shows the exact time. */
import { momentOf } from '../format/time.ts'

export const Moment = ({ at }: { at: string }) => (
  <time dateTime={at} title={at}>
    {momentOf(new Date(at), new Date())}
  </time>
)
