/** Lines of a trace, one under the other; the end stays in sight while they are followed. */
import type { TraceEvent } from '@imapfleet/protocol'
import { useEffect, useRef } from 'preact/hooks'

const directions: Record<TraceEvent['from'], string> = { C: 'client', S: 'server', '*': 'edge' }

export function TraceLines({ lines, isFollowing }: { lines: readonly TraceEvent[]; isFollowing: boolean }) {
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (isFollowing && box.current) box.current.scrollTop = box.current.scrollHeight
  }, [lines.length, isFollowing])
  return (
    <div class="trace-lines" ref={box} tabIndex={0} role="log" aria-label="Lines of the trace">
      {lines.map((line, index) => (
        <div key={index} class={`trace-line ${directions[line.from]}`}>
          <span class="soft">{clockOf(line.at)}</span> <b>{line.edge}</b>{' '}
          <span class="soft">{line.session}</span>{' '}
          <span class="said">
            {line.from}: {line.text}
          </span>
        </div>
      ))}
    </div>
  )
}

const clock = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
})

const clockOf = (at: number): string => clock.format(at)
