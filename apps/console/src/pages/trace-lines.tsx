/** The lines of a trace. While they are followed, the last line stays visible. */
import type { TraceEvent } from '@imapfleet/api'
import { Component } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import type { NumberedLine } from '../fleet/live-trace.ts'
import { sessionColour } from '../fleet/session-colour.ts'
import { atFirstUse } from '../format/at-first-use.ts'

interface LinesProps {
  lines: readonly NumberedLine[]
  isFollowing: boolean
  /** Scrolling up stops following; scrolling to the end starts it again. */
  onFollow: (isFollowing: boolean) => void
  onSession: (session: string) => void
}

const directions: Record<TraceEvent['from'], string> = { C: 'client', S: 'server', '*': 'edge' }
const nearTheEnd = 24

export function TraceLines({ lines, isFollowing, onFollow, onSession }: LinesProps) {
  const box = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    if (isFollowing && box.current) box.current.scrollTop = box.current.scrollHeight
  }, [lines.at(-1)?.number, lines.length, isFollowing])
  return (
    <div
      class="trace-lines"
      ref={box}
      tabIndex={0}
      role="log"
      aria-label="Lines of the trace"
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        const isAtEnd = scrollTop + clientHeight >= scrollHeight - nearTheEnd
        if (isAtEnd !== isFollowing) onFollow(isAtEnd)
      }}
    >
      {lines.map((line) => (
        <Line key={line.number} line={line} onSession={onSession} />
      ))}
    </div>
  )
}

/** A line never changes, so only new lines are drawn. */
class Line extends Component<{ line: NumberedLine; onSession: (session: string) => void }> {
  override shouldComponentUpdate(): boolean {
    return false
  }

  override render() {
    const { line, onSession } = this.props
    return (
      <div class={`trace-line ${directions[line.from]}`}>
        <span class="soft">{clockOf(line.at)}</span> <b>{line.edge}</b>{' '}
        <button
          type="button"
          tabIndex={-1}
          class={`session session-${sessionColour(line.session)}`}
          title="Show this session only"
          onClick={() => onSession(line.session)}
        >
          {line.session}
        </button>{' '}
        <span class="said">
          {line.from}: {line.text}
        </span>
      </div>
    )
  }
}

const clock = atFirstUse(
  () =>
    new Intl.DateTimeFormat('en-GB', {
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      fractionalSecondDigits: 3,
    }),
)

const clockOf = (at: number): string => clock().format(at)
