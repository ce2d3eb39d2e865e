/** The keys whose new values an edge will use only after a restart. */
import { isDeepStrictEqual } from 'node:util'
import type { z } from 'zod'
import { metaOf } from './fields.ts'
import { childOf, isSection } from './schema-walk.ts'
import { sectionsSchema, type EdgeConfig } from './schema.ts'

/**
 * Compares the configuration that the edge was started with to the current one. Returns dotted keys. If a listener was
 * added or removed, the key is that of the listener, such as `listeners.imap`.
 */
export function awaitingRestart(started: EdgeConfig, current: EdgeConfig): string[] {
  return differing(sectionsSchema, started, current, '')
}

function differing(schema: z.ZodType, before: unknown, after: unknown, key: string): string[] {
  if (isDeepStrictEqual(before, after)) return []
  const meta = metaOf(schema)
  if (meta?.reload !== undefined) return meta.reload === 'restart' ? [key] : []
  if (!isSection(before) || !isSection(after)) return needsRestart(schema, before ?? after) ? [key] : []
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) => {
    const child = childOf(schema, name)
    return child ? differing(child, before[name], after[name], key === '' ? name : `${key}.${name}`) : []
  })
}

/** Whether a section that was added or removed has a key that takes effect only after a restart. */
function needsRestart(schema: z.ZodType, section: unknown): boolean {
  if (!isSection(section)) return false
  return Object.keys(section).some((name) => {
    const child = childOf(schema, name)
    return child !== undefined && (metaOf(child)?.reload === 'restart' || needsRestart(child, section[name]))
  })
}
