/** The status of a rollout, of a wave, or of an edge in it. */
import { Badge, type Tone } from '../ui/badge.tsx'

const tones: Record<string, Tone> = {
  applied: 'good',
  rejected: 'bad',
  silent: 'warn',
  skipped: 'warn',
  current: 'accent',
  stopped: 'warn',
  done: 'good',
  running: 'accent',
  completed: 'good',
  paused: 'warn',
  'rolled-back': 'bad',
  aborted: 'bad',
}
export const StatusBadge = ({ status }: { status: string }) => (
  <Badge tone={tones[status] ?? 'still'}>{status}</Badge>
)
