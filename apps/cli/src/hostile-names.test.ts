/**
 * Every command that lists or shows something, with a server whose texts have line breaks, escape sequences and marks that
 * change the reading direction, as user names in an IMAP login can have.
 */
import assert from 'node:assert/strict'
import { PassThrough, Writable } from 'node:stream'
import { test } from 'node:test'
import { routes, type Route } from '@imapfleet/api'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { actionSchemaOf, resultSchemaOf, type OrderKind } from '@imapfleet/protocol'
import { z } from 'zod'
import { Failure } from './failure.ts'
import { serveLoopback } from './loopback.test-support.ts'
import { createProgram } from './program.ts'
import { openShell, outputFormats } from './shell.ts'

const uuid = '7b7c1d3c-6a0b-4f0e-9f3e-0d9b8a1c2d3e'
const hostile = 'eve\r\n\x1b[2J\u202e\u2028\x9b31m'
// Not the expression of safe.ts.
const acts = /[\0-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]/

type JsonSchema = z.core.JSONSchema.JSONSchema

/** A value of the schema, in which every text is hostile that may be. */
function answerOf(schema: z.ZodType): unknown {
  const whole = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return valueOf(whole)

  function valueOf(part: JsonSchema): unknown {
    const { $ref, format, pattern, enum: values, items, properties = {}, additionalProperties } = part
    const type = [part.type].flat().find((each) => each !== 'null')
    if ($ref !== undefined) return valueOf(whole.$defs?.[$ref.replace('#/$defs/', '')] as JsonSchema)
    if ('const' in part) return part.const
    if (values) return values[0]
    const first = (part.anyOf ?? part.oneOf)?.find((each) => each.type !== 'null')
    if (first) return valueOf(first)
    if (type === 'array') return [valueOf((items ?? {}) as JsonSchema)]
    if (type === 'object')
      return Object.fromEntries([
        ...Object.entries(properties).map(([key, field]) => [key, valueOf(field as JsonSchema)]),
        ...(typeof additionalProperties === 'object' ? [['eu', valueOf(additionalProperties)]] : []),
      ])
    if (type === 'boolean') return true
    if (type === 'integer' || type === 'number') return Math.max(1, part.minimum ?? 1)
    if (format === 'date-time') return '2026-11-30T10:00:00.000Z'
    if (format === 'uuid') return uuid
    return pattern !== undefined && !new RegExp(pattern, 'u').test(hostile) ? 'eu' : hostile
  }
}

/** An answer to an order: the results are those of its kind. */
function orderAnswer(kind: OrderKind): unknown {
  const action = answerOf(actionSchemaOf(kind))
  const edge = {
    id: 'eu-1',
    region: 'eu',
    status: 'answered',
    reason: null,
    result: answerOf(resultSchemaOf(kind)),
  }
  return {
    ...(answerOf(routes.readOrder.answer) as object),
    action,
    edges: [edge],
    operation: undefined,
    next: null,
  }
}

const server = await serveLoopback((request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1')
  const found = Object.values<Route>(routes).find(
    ({ method, path }) =>
      method === request.method && new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(pathname),
  )
  assert.ok(found, `${request.method} ${pathname}`)
  void (async () => {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const sent = text === '' ? undefined : (JSON.parse(text) as { action?: { kind: OrderKind } })
    const isOrder = found.path.startsWith('/v1/orders') && !pathname.endsWith('/orders')
    const answer =
      sent?.action || isOrder
        ? orderAnswer(sent?.action?.kind ?? 'who')
        : 'answer' in found
          ? { ...(answerOf(found.answer) as object), next: null }
          : undefined
    if ('events' in found) {
      const events = Object.entries(found.events).map(
        ([name, schema]) => `event: ${name}\ndata: ${JSON.stringify(answerOf(schema))}\n\n`,
      )
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(events.join(''))
    } else if ('line' in found && found.line) {
      response.writeHead(200, { 'content-type': found.text })
      response.end(`${JSON.stringify(answerOf(found.line))}\n`)
    } else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  })()
})

let said = ''
const sink = new Writable({
  write: (chunk: Buffer, _encoding, done) => {
    said += chunk.toString()
    done()
  },
})
const shell = openShell(
  {
    ...{ server: server.href, token: 'good', profile: undefined, browser: 'false' },
    ...{ configHome: temporaryDirectory('cli-hostile'), directories: [] },
  },
  { stdin: new PassThrough(), stdout: sink, stderr: sink } as unknown as Parameters<typeof openShell>[1],
)

/** Everything that the command writes. */
async function output(words: readonly string[]): Promise<string> {
  said = ''
  try {
    await createProgram(shell).program.parseAsync(words, { from: 'user' })
  } catch (error) {
    // Such as an edge that was silent: main.ts prints it through `safe`.
    if (!(error instanceof Failure)) throw error
  }
  return said
}

const commands: readonly string[][] = [
  ['edges'],
  ['edges', 'show', 'eu-1'],
  ['edges', 'enrolments'],
  ['alerts'],
  ['alerts', 'show', '1'],
  ['alerts', 'silences'],
  ['alerts', 'rules'],
  ['alerts', 'channels'],
  ['config', 'get'],
  ['config', 'get', '--edge', 'eu-1'],
  ['config', 'history'],
  ['config', 'show', '1'],
  ['config', 'set', 'pool.usesMax', '5', '--dry-run'],
  ['rollouts'],
  ['rollouts', 'show', '1'],
  ['stats'],
  ['stats', '--plot'],
  ['top', '--once'],
  ['who'],
  ['who', hostile],
  ['pool'],
  ['kick', hostile, '--yes'],
  ['purge-idle', '--yes'],
  ['route', hostile],
  ['upstream', 'pause', 'main', '--yes'],
  ['upstream', 'resume', 'main'],
  ['reset-counters'],
  ['newlog'],
  ['revoke', 'user', hostile, '--no-wait'],
  ['revocations'],
  ['revocations', 'show', '1'],
  ['resume', 'eu-1'],
  ['orders'],
  ['orders', 'show', uuid],
  ['operations'],
  ['operations', 'show', uuid],
  ['traces'],
  ['traces', 'download', uuid],
  ['tokens'],
  ['people'],
  ['audit'],
]

for (const words of commands)
  test(`${JSON.stringify(words.join(' '))} prints hostile texts escaped, in every format`, async () => {
    for (const format of outputFormats) {
      const text = await output([...words, '--output', format])
      if (format === 'table') assert.notEqual(text, '')
      // A line that ends in the middle of the text is broken.
      assert.doesNotMatch(text, /eve$/m, `${format}: ${JSON.stringify(text)}`)
      assert.doesNotMatch(text, acts, `${format}: ${JSON.stringify(text)}`)
    }
  })
