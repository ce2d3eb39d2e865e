/** The state of an edge as a badge, or that it was forgotten. */
import type { EdgeView } from '@imapfleet/api'
import { Badge, type Tone } from '../ui/badge.tsx'

const tones: Record<EdgeView['state'], Tone> = {
  serving: 'good',
  draining: 'warn',
  stopping: 'warn',
  silent: 'bad',
  incompatible: 'bad',
}

export const EdgeStateBadge = ({ edge: { state, forgottenAt } }: { edge: EdgeView }) =>
  forgottenAt === undefined ? (
    <Badge tone={tones[state]}>{state}</Badge>
  ) : (
    <Badge tone="still">forgotten</Badge>
  )
