/** Describes every key for docs/configuration.md, the CLI and the console. */
import { z } from 'zod'
import { metaOf } from './fields.ts'
import { childOf, shapeOf, unwrapped } from './schema-walk.ts'
import { sectionsSchema, steerableSections } from './schema.ts'

export interface KeyManual {
  /**
   * `pool.usesMax`. NAME stands for a name that the user chooses (`upstreams.NAME.port`), [] for an entry of a list
   * (`routes[].user`).
   */
  key: string
  help: string
  reload: 'live' | 'restart'
  secret: boolean
  /** Whether the fleet may set it. If not, only the configuration file of the edge can. */
  steerable: boolean
  /** The values that are accepted, in words: `1000 to 86400000`, `true or false`, `one of off, exact, window`. */
  values: string
  /** The values that are accepted, if they are few. */
  choices?: string[]
  /** The default as written in YAML; undefined if the key is absent by default. */
  preset: string | undefined
  /** Bounds of a number. */
  least?: number
  most?: number
}

/** All keys, in the order of the schema. */
export function describeKeys(): KeyManual[] {
  return Object.entries(shapeOf(sectionsSchema)).flatMap(([section, schema]) =>
    keysBelow(section, schema).map((row) => ({
      ...row,
      steerable: row.steerable && (steerableSections as readonly string[]).includes(section),
    })),
  )
}

function keysBelow(key: string, schema: z.ZodType): KeyManual[] {
  const meta = metaOf(schema)
  const inner = unwrapped(schema)
  if (meta)
    return [
      {
        key,
        help: meta.help,
        reload: meta.reload,
        secret: meta.secret === true,
        steerable: meta.hostOnly !== true,
        values: valuesOf(inner),
        preset: presetOf(schema),
        ...boundsOf(inner),
        ...choicesOf(inner),
      },
    ]
  if (inner instanceof z.ZodRecord) return keysBelow(`${key}.NAME`, childOf(inner, '')!)
  if (inner instanceof z.ZodArray) return keysBelow(`${key}[]`, childOf(inner, '')!)
  return Object.entries(shapeOf(inner)).flatMap(([name, child]) => keysBelow(`${key}.${name}`, child))
}

function valuesOf(inner: z.ZodType): string {
  const named = z.globalRegistry.get(inner)?.description
  if (named) return named
  if (inner instanceof z.ZodEnum) return `one of ${inner.options.join(', ')}`
  if (inner instanceof z.ZodBoolean) return 'true or false'
  if (inner instanceof z.ZodArray) return `list: ${valuesOf(inner.element as z.ZodType)}`
  const { least, most } = boundsOf(inner)
  if (least !== undefined) return `${least} to ${most}`
  return 'text'
}

function choicesOf(inner: z.ZodType): { choices?: string[] } {
  if (inner instanceof z.ZodBoolean) return { choices: ['true', 'false'] }
  return inner instanceof z.ZodEnum ? { choices: inner.options.map(String) } : {}
}

function boundsOf(inner: z.ZodType): { least?: number; most?: number } {
  return inner instanceof z.ZodNumber ? { least: inner.minValue!, most: inner.maxValue! } : {}
}

function presetOf(schema: z.ZodType): string | undefined {
  const preset: unknown = schema.safeParse(undefined).data
  return preset === undefined ? undefined : JSON.stringify(preset).replaceAll('"', '')
}
