/** The OpenAPI document as types: one entry for each route, with its parameters and answers. */

export interface OpenApi {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

interface Operation {
  parameters?: { name: string; in: string; required?: boolean; schema: Schema }[]
  requestBody?: { content: Content }
  responses: Record<string, { content?: Content }>
}

type Content = Record<string, { schema: Schema }>

export interface Schema {
  $ref?: string
  type?: string | string[]
  enum?: unknown[]
  oneOf?: Schema[]
  anyOf?: Schema[]
  allOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
  items?: Schema
}

/** `GET /v1/edges/{id}` for each. */
export const routesOf = (document: OpenApi): string[] =>
  operationsOf(document).map(({ method, path }) => routeName(method, path))

const routeName = (method: string, path: string) => `${method.toUpperCase()} ${path}`

const operationsOf = ({ paths }: OpenApi) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  )

/** The source of the types, with only the schemas that routes use. */
export function apiTypes(document: OpenApi): string {
  const routes = operationsOf(document).map(
    ({ method, path, operation }) => `  '${routeName(method, path)}': ${routeType(operation)}`,
  )
  const schemas = Object.entries(document.components.schemas).map(
    ([name, schema]) => [name, `type ${name} = ${typeOf(schema)}\n`] as const,
  )
  const isUsed = (name: string) =>
    [...routes, ...schemas.filter(([other]) => other !== name).map(([, text]) => text)].some((text) =>
      new RegExp(`\\b${name}\\b`).test(text),
    )
  const used = schemas.filter(([name]) => isUsed(name)).map(([, text]) => text)
  return [...used, 'export interface ApiRoutes {', ...routes, '}\n'].join('\n')
}

function routeType({ parameters = [], requestBody, responses }: Operation): string {
  const path = parameters.filter((parameter) => parameter.in === 'path')
  const query = parameters.filter((parameter) => parameter.in === 'query')
  const answers = Object.entries(responses)
    .filter(([status]) => status.startsWith('2'))
    .map(([, { content }]) => contentType(content))
  const parts = [
    ...(path.length > 0 ? [`path: ${parametersType(path)}`] : []),
    ...(query.length > 0
      ? [`query${query.some(({ required }) => required) ? '' : '?'}: ${parametersType(query)}`]
      : []),
    ...(requestBody ? [`body: ${contentType(requestBody.content)}`] : []),
    `answer: ${[...new Set(answers)].join(' | ')}`,
  ]
  return `{ ${parts.join('; ')} }`
}

const contentType = (content: Content = {}): string => typeOf(Object.values(content)[0]?.schema ?? {})

/** Parameters in an address are text, so a number can also be given as text. */
const parametersType = (parameters: NonNullable<Operation['parameters']>): string =>
  `{ ${parameters
    .map(({ name, required, schema }) => {
      const type = [schema.type].flat().includes('integer') ? 'number | string' : typeOf(schema)
      return required ? `${name}: ${type}` : `${name}?: ${type} | undefined`
    })
    .join('; ')} }`

function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1) ?? 'unknown'
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  const union = schema.oneOf ?? schema.anyOf
  if (union) return union.map(typeOf).join(' | ')
  if (schema.allOf) return schema.allOf.map((part) => `(${typeOf(part)})`).join(' & ')
  const types = [schema.type ?? []].flat()
  return types.length === 0 ? 'unknown' : types.map((type) => simpleType(type, schema)).join(' | ')
}

function simpleType(type: string, schema: Schema): string {
  if (type === 'integer') return 'number'
  if (type === 'array') return `(${typeOf(schema.items ?? {})})[]`
  return type === 'object' ? objectType(schema) : type
}

function objectType({ properties, required = [], additionalProperties }: Schema): string {
  if (!properties) {
    const values = typeof additionalProperties === 'object' ? typeOf(additionalProperties) : 'unknown'
    return `Record<string, ${values}>`
  }
  const parts = Object.entries(properties).map(([name, schema]) =>
    required.includes(name) ? `${name}: ${typeOf(schema)}` : `${name}?: ${typeOf(schema)} | undefined`,
  )
  return `{ ${parts.join('; ')} }`
}
