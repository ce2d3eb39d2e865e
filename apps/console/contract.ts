/**
 * Makes what the console knows of the API from packages/api, while the console is built: its routes, with shapes in place of
 * schemas (ADR 49). The console imports it as `virtual:contract`.
 */
import { problemDetailsSchema, routes, type Route } from '@imapfleet/api'
import { orderKinds } from '@imapfleet/protocol'
import type { Plugin } from 'vite'
import { z } from 'zod'
import type { NamedShapes, Shape } from './src/api/shape.ts'

const moduleName = 'virtual:contract'

export const contractPlugin = (): Plugin => ({
  name: 'contract',
  resolveId: (id) => (id === moduleName ? id : undefined),
  load: (id) =>
    id === moduleName
      ? `export default JSON.parse(${JSON.stringify(JSON.stringify(consoleContract()))})`
      : undefined,
  generateBundle(_, files) {
    const used = Object.values(files).flatMap((file) =>
      file.type === 'chunk' ? Object.entries(file.modules) : [],
    )
    for (const [id, { renderedLength }] of used)
      if (renderedLength > 0 && this.getModuleInfo(id)?.importedIds.some((other) => other.includes('/zod/')))
        this.error(`${id} has schemas: move what the console uses of it to a file without them`)
  },
})

/** A row of the table of routes, as far as a client needs it. */
export interface ContractRow extends Pick<Route, 'method' | 'path' | 'role' | 'limits' | 'secret'> {
  answer?: Shape
  events?: Readonly<Record<string, Shape>>
  text?: string
  line?: Shape
}

export interface ConsoleContract {
  routes: Readonly<Record<keyof typeof routes, ContractRow>>
  problem: Shape
  /** The result of each kind of order. */
  results: Readonly<Record<keyof typeof orderKinds, Shape>>
  named: NamedShapes
}

export function consoleContract(): ConsoleContract {
  const schemas = new Map<string, z.ZodType>()
  /** Of a schema, once all are known. */
  const place = (schema: z.ZodType): Shape => {
    const name = String(schemas.size)
    schemas.set(name, schema)
    return { $ref: name }
  }
  const rows = Object.fromEntries(
    Object.entries<Route>(routes).map(([name, route]) => [name, rowOf(route, place)]),
  )
  const results = Object.fromEntries(
    Object.entries(orderKinds).map(([kind, { result }]) => [kind, place(result)]),
  )
  return {
    routes: rows as ConsoleContract['routes'],
    problem: place(problemDetailsSchema),
    results: results as ConsoleContract['results'],
    named: shapesOf(Object.fromEntries(schemas)),
  }
}

function rowOf(route: Route, place: (schema: z.ZodType) => Shape): ContractRow {
  const { method, path, role, limits, secret } = route
  return {
    ...{ method, path, role, limits },
    ...(secret && { secret }),
    ...('answer' in route && { answer: place(route.answer) }),
    ...('text' in route && { text: route.text }),
    ...('line' in route && route.line && { line: place(route.line) }),
    ...('events' in route && {
      events: Object.fromEntries(Object.entries(route.events).map(([name, schema]) => [name, place(schema)])),
    }),
  }
}

type JsonSchema = z.core.JSONSchema.JSONSchema

/** As the JSON that control sends: before zod adds defaults. */
function shapesOf(schemas: Readonly<Record<string, z.ZodType>>): NamedShapes {
  const { properties = {}, $defs = {} } = z.toJSONSchema(z.object(schemas), { io: 'input' })
  return Object.fromEntries(
    Object.entries({ ...properties, ...$defs }).map(([name, schema]) => [
      name,
      shapeOf(schema as JsonSchema),
    ]),
  )
}

/** What a shape keeps of a schema. */
function shapeOf(schema: JsonSchema): Shape {
  const { $ref, type, anyOf = schema.oneOf, items, properties, required, additionalProperties } = schema
  const one = (part: unknown) => shapeOf(part as JsonSchema)
  const values = schema.enum ?? ('const' in schema ? [schema.const] : undefined)
  return {
    ...(schema.default !== undefined && { default: schema.default }),
    ...($ref !== undefined
      ? { $ref: $ref.replace('#/$defs/', '') }
      : {
          ...(type !== undefined && { type }),
          ...(values && { enum: values }),
          ...(anyOf && { anyOf: anyOf.map(one) }),
          ...(items !== undefined && { items: one(items) }),
          ...(properties && {
            properties: Object.fromEntries(
              Object.entries(properties).map(([name, field]) => [name, one(field)]),
            ),
          }),
          ...(required && { required }),
          ...(typeof additionalProperties === 'object' && {
            additionalProperties: one(additionalProperties),
          }),
        }),
  }
}
