/** The reference page at /docs: the OpenAPI document as plain HTML, without external files. */
import { Hono } from 'hono'
import { html, raw } from 'hono/html'
import type { Env } from './handlers.ts'

/** The part of an OpenAPI document that the page shows. */
interface ApiDocument {
  info: { title: string; version: string }
  paths?: Record<string, Record<string, Operation | undefined>>
  components?: { schemas?: Record<string, unknown> }
}

interface Operation {
  tags?: string[]
  summary?: string
  description?: string
  parameters?: { name: string; in: string; required?: boolean; schema?: unknown }[]
  requestBody?: { content?: Record<string, { schema?: unknown }> }
  security?: Record<string, string[]>[]
  responses?: Record<string, { description?: string; content?: Record<string, { schema?: unknown }> }>
}

type Part = ReturnType<typeof html>

const style = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h3 { margin-bottom: 0 } code, pre { font: 14px/1.4 ui-monospace, monospace }
pre { overflow-x: auto; padding: .5rem; border: 1px solid } nav li { display: inline-block; margin-right: 1rem }
:root { color-scheme: light dark }
`

export const referenceRoutes = (read: () => object) =>
  new Hono<Env>()
    .get('/docs', async (context) => context.html(await page(read() as ApiDocument)))
    .get('/docs.css', (context) => context.body(style, 200, { 'content-type': 'text/css' }))

function page(document: ApiDocument): Part {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) =>
      operation ? [{ path, method, operation }] : [],
    ),
  )
  const byTag = [...Map.groupBy(operations, ({ operation }) => operation.tags?.[0] ?? 'other')]
  const schemas = Object.entries(document.components?.schemas ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${document.info.title} API</title>
        <link rel="stylesheet" href="docs.css" />
      </head>
      <body>
        <h1>${document.info.title} API</h1>
        <p>
          Requests carry <code>Authorization: Bearer TOKEN</code>; a write may carry an
          <code>Idempotency-Key</code>, and is then done once however often it is sent. A request with a
          parameter or a key that its route does not have is refused. Refusals are
          <a href="#Problem">problem+json</a>. The same as a document:
          <a href="openapi.json">openapi.json</a>.
        </p>
        <nav>
          <ul>
            ${byTag.map(([tag]) => html`<li><a href="#${tag}">${tag}</a></li> `)}
            <li><a href="#schemas">schemas</a></li>
          </ul>
        </nav>
        ${byTag.map(
          ([tag, its]) =>
            html`<h2 id="${tag}">${tag}</h2>
              ${its.map(operationPart)}`,
        )}
        <h2 id="schemas">Schemas</h2>
        ${schemas.map(
          ([name, schema]) =>
            html`<h3 id="${name}">${name}</h3>
              ${schemaPart(schema)}`,
        )}
      </body>
    </html>`
}

function operationPart({
  path,
  method,
  operation,
}: {
  path: string
  method: string
  operation: Operation
}): Part {
  const { summary = '', description, parameters = [], requestBody, security, responses = {} } = operation
  const asked = Object.values(requestBody?.content ?? {})[0]?.schema
  return html`<h3><code>${method.toUpperCase()} ${path}</code></h3>
    <p>${summary}. ${description ?? ''} Role: ${Object.values(security?.[0] ?? {}).join()}.</p>
    ${
      parameters.length === 0
        ? ''
        : html`<ul>
            ${parameters.map(
              ({ name, in: place, required, schema }) =>
                html`<li>
                  <code>${name}</code> in ${place}${required ? ', needed' : ''}: ${typeText(schema)}
                </li>`,
            )}
          </ul>`
    }
    ${
      asked === undefined
        ? ''
        : html`<p>Body:</p>
            ${schemaPart(asked)}`
    }
    <ul>
      ${Object.entries(responses).map(([status, { description: what = '', content }]) => {
        const [type, media] = Object.entries(content ?? {})[0] ?? []
        return html`<li>
          ${status}:
          ${what}${type === undefined ? '' : html`, <code>${type}</code> ${typeText(media?.schema)}`}
        </li>`
      })}
    </ul>`
}

/** A link if the schema has a name; otherwise its text. */
function typeText(schema: unknown): Part | string {
  const name = nameOf(schema)
  if (name !== undefined) return html`<a href="#${name}">${name}</a>`
  const text = JSON.stringify(schema ?? {})
  return text.length > 200 ? '' : html`<code>${text}</code>`
}

function schemaPart(schema: unknown): Part {
  const name = nameOf(schema)
  if (name !== undefined) return html`<p><a href="#${name}">${name}</a></p>`
  const text = escape(JSON.stringify(schema, undefined, 2))
  const linked = text.replace(
    /&quot;#\/components\/schemas\/(\w+)&quot;/g,
    (_, target: string) => `<a href="#${target}">${target}</a>`,
  )
  return html`<pre>${raw(linked)}</pre>`
}

function nameOf(schema: unknown): string | undefined {
  const reference = (schema as { $ref?: unknown } | undefined)?.$ref
  return typeof reference === 'string' ? reference.split('/').at(-1) : undefined
}

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
