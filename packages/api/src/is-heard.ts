/** Which edges control hears. A file of its own without schemas, because the console builds none (ADR 49). */
import type { EdgeView } from './edges.ts'

/** Whether control knows what an edge does now. If not, its figures are those of its last readable heartbeat. */
export const isHeard = ({ state }: Pick<EdgeView, 'state'>): boolean =>
  state !== 'silent' && state !== 'incompatible'
