/** Which keys an edge will take up only when it starts again: those that differ from what it was started with. */
import { isDeepStrictEqual } from 'node:util'
import type { z } from 'zod'
import { metaOf } from './fields.ts'
import { childOf } from './schema-walk.ts'
import { sectionsSchema, type EdgeConfig } from './schema.ts'

/** Dotted keys; a section that has come or gone is named as a whole. */
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

/** Whether anything in a section that has come or gone is taken up at a start only. */
function needsRestart(schema: z.ZodType, section: unknown): boolean {
  if (!isSection(section)) return false
  return Object.keys(section).some((name) => {
    const child = childOf(schema, name)
    return child !== undefined && (metaOf(child)?.reload === 'restart' || needsRestart(child, section[name]))
  })
}

const isSection = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
