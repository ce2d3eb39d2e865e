/** What can be configured, key by key: the source of docs/configuration.md and of whatever explains a key to people. */
import { z } from 'zod'
import { metaOf } from './fields.ts'
import { childOf, shapeOf, unwrapped } from './schema-walk.ts'
import { sectionsSchema, steerableSections } from './schema.ts'

export interface KeyManual {
  /** `pool.usesMax`; NAME stands for a name of one's own: `upstreams.NAME.port`; [] for a list: `routes[].user`. */
  key: string
  help: string
  reload: 'live' | 'restart'
  secret: boolean
  /** May be set by the fleet, not only by the file of the host. */
  steerable: boolean
  /** What may stand there, in words: `1000 to 86400000`, `true or false`, `one of off, exact, window`. */
  values: string
  /** Where only a few values may stand there. */
  choices?: string[]
  /** As written in YAML; undefined: absent unless set. */
  preset: string | undefined
  /** Bounds of a number. */
  least?: number
  most?: number
}

/** Every key there is, in the order of the schema. */
export function describeKeys(): KeyManual[] {
  return Object.entries(shapeOf(sectionsSchema)).flatMap(([section, schema]) =>
    keysBelow(section, schema).map((row) => ({
      ...row,
      steerable: (steerableSections as readonly string[]).includes(section),
    })),
  )
}

function keysBelow(key: string, schema: z.ZodType): Omit<KeyManual, 'steerable'>[] {
  const meta = metaOf(schema)
  const inner = unwrapped(schema)
  if (meta)
    return [
      {
        key,
        help: meta.help,
        reload: meta.reload,
        secret: meta.secret === true,
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
  const said = z.globalRegistry.get(inner)?.description
  if (said) return said
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
