/** What no route accepts, tried on every route, parameter and text of a body. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { routes, type Route } from '@imapfleet/api'
import { z } from 'zod'
import {
  outcome,
  routeNames,
  samples,
  testApi,
  type Variation,
  type RouteName,
  type ValidRequest,
  type TestApi,
} from './api.test-support.ts'
import { createToken } from './features/access/service.ts'

suite('requests', () => {
  let api: TestApi
  let authorization: string
  before(async () => {
    api = await testApi()
    const { token } = await createToken(api.deps, 'root', {
      name: 'root',
      role: 'admin',
      scopes: ['trace-bodies'],
    })
    authorization = `Bearer ${token}`
  })
  after(async () => await api?.close())

  const send = async (name: RouteName, varied: Variation = {}) =>
    await outcome(
      await api.ask(name, {
        ...varied,
        headers: { authorization, 'x-imapfleet-console': '1', ...varied.headers },
      }),
    )
  const refused = async (name: RouteName, varied: Variation, sentence: RegExp) => {
    const { status, code, text } = await send(name, varied)
    const what = `${name} ${JSON.stringify(varied).slice(0, 300)}: ${status} ${text.slice(0, 300)}`
    assert.deepEqual([status, code], [400, 'request_invalid'], what)
    assert.match((JSON.parse(text) as { detail: string }).detail, sentence, what)
  }
  const bodyRoutes = routeNames.filter((name) => samples[name].body !== undefined)

  test('the samples are valid', async () => {
    for (const name of routeNames) {
      const { status, code, text } = await send(name)
      assert.ok(status !== 400 && status !== 500, `${name}: ${status} ${code} ${text}`)
    }
  })

  test('unknown parameters are refused, with the closest known one', async () => {
    for (const name of routeNames) {
      const first = samples[name].query === undefined ? '?' : '&'
      await refused(name, { suffix: `${first}nonsense=1` }, /^nonsense: is not known$/)
      await refused(name, { suffix: `${first}__proto__=1` }, /^__proto__: is not known$/)
      for (const known of Object.keys(samples[name].query ?? {}))
        if (known.length > 3)
          await refused(name, { suffix: `&${known}s=1` }, new RegExp(`did you mean ${known}\\?$`))
    }
  })

  test('parameters that are given more than once are refused', async () => {
    for (const name of routeNames)
      for (const [key, value] of Object.entries(samples[name].query ?? {}))
        for (const again of [value, 'other', ''])
          await refused(name, { suffix: `&${key}=${again}` }, new RegExp(`^${key}: is given more than once$`))
  })

  test('a number is written in decimal digits', async () => {
    const wrong = [
      '',
      ' ',
      ' 5',
      '5 ',
      '+5',
      '-5',
      '-0',
      '05',
      '5.0',
      '5,0',
      '0x10',
      '0b1',
      '1e3',
      '1_000',
      'NaN',
    ]
    const values = [
      ...wrong,
      'Infinity',
      '٣',
      '９',
      '99999999999999999999',
      '9007199254740993',
      'null',
      'true',
    ]
    let tried = 0
    for (const [name, part, key] of numbers())
      for (const value of values) {
        // An empty name in a path is another path.
        if (part === 'params' && value === '') continue
        await refused(name, { sample: withParameter(name, part, key, value) }, new RegExp(`^${key}: `))
        tried++
      }
    assert.ok(tried > 15 * values.length, `${tried} cases`)
  })

  test('parameters are Unicode without NUL', async () => {
    for (const [name, part, key] of parameters()) {
      const { path } = routes[name]
      await refused(
        name,
        { sample: withParameter(name, part, key, 'a\0') },
        /^\w+: contains a NUL or is not Unicode/,
      )
      // Half of a surrogate pair, a byte that is no UTF-8, an overlong NUL, and no encoding at all.
      for (const bytes of ['%ED%A0%80', '%FF', '%C0%80', '%', '%zz']) {
        if (part === 'query') {
          const { [key]: _, ...query } = samples[name].query ?? {}
          const suffix = `${Object.keys(query).length > 0 ? '&' : '?'}${key}=${bytes}`
          await refused(
            name,
            { sample: { ...samples[name], query }, suffix },
            /not valid percent-encoded UTF-8/,
          )
        } else if (path.includes(`{${key}}`)) {
          const sample = withParameter(name, part, key, bytes)
          await refused(name, { sample, isEncoded: true }, /not valid percent-encoded UTF-8/)
        }
      }
    }
  })

  test('a body has no unknown keys, at any depth', async () => {
    let tried = 0
    for (const name of bodyRoutes)
      for (const path of objectsIn(samples[name].body)) {
        const { body } = structuredClone(samples[name])
        const object = path.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], body)
        // The names of these are data.
        if (path.at(-1) === 'set') continue
        Object.assign(object as object, { nonsense: 1 })
        const place = [...path, 'nonsense'].join('.')
        await refused(
          name,
          { sample: { ...samples[name], body: body! } },
          new RegExp(`^${place}: is not known`),
        )
        tried++
      }
    assert.ok(tried > bodyRoutes.length, `${tried} cases`)
    const near = { ...samples.giveOrder, body: { ...samples.giveOrder.body, timeotMs: 100 } }
    await refused('giveOrder', { sample: near }, /^timeotMs: is not known; did you mean timeoutMs\?$/)
  })

  test('a body is JSON that all parsers read alike', async () => {
    for (const name of bodyRoutes) {
      const valid = JSON.stringify(samples[name].body)
      const wrap = (inner: string) => `${valid.slice(0, -1)},"more":${inner}}`
      const first = Object.keys(samples[name].body ?? {})[0]
      const escaped = `\\u${first!.charCodeAt(0).toString(16).padStart(4, '0')}${first!.slice(1)}`
      const cases: [string, RegExp][] = [
        ['', /not valid JSON/],
        ['{', /not valid JSON/],
        [`${valid}}`, /not valid JSON/],
        [`${valid}${valid}`, /not valid JSON/],
        [`//\n${valid}`, /not valid JSON/],
        [valid.replaceAll('"', "'"), /not valid JSON/],
        [wrap('NaN'), /not valid JSON/],
        [wrap(`${'['.repeat(5_000)}${']'.repeat(5_000)}`), /more than 32 levels/],
        [wrap(`${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`), /more than 32 levels/],
        ['['.repeat(500_000), /more than 32 levels/],
        [wrap(`1,"${first}":1`), new RegExp(`key "${first}" twice`)],
        [wrap(`1,"${escaped}":1`), new RegExp(`key "${first}" twice`)],
        [wrap('{"a":1,"b":[{}],"a":2}'), /key "a" twice/],
        [wrap('{"__proto__":{"role":"admin"}}'), /key __proto__/],
        [wrap('{"\\u005f_proto__":{"role":"admin"}}'), /key __proto__/],
        ['[]', /^must be a JSON object$/],
        ['null', /^must be a JSON object$/],
        ['"text"', /^must be a JSON object$/],
      ]
      for (const [raw, sentence] of cases) await refused(name, { raw }, sentence)
      const bytes = new TextEncoder().encode(valid)
      bytes[valid.lastIndexOf('"') - 1] = 0xff
      await refused(name, { raw: bytes }, /not UTF-8/)
    }
  })

  test('a body with an idempotency key is UTF-8, too', async () => {
    const headers = { 'idempotency-key': 'bytes' }
    const raw = Uint8Array.from([...new TextEncoder().encode('{"kind":"user","subject":"'), 0xff, 0x22, 0x7d])
    await refused('addRevocation', { headers, raw }, /not UTF-8/)
  })

  test('a key may have the name of a value or of a key elsewhere', async () => {
    const { status, text } = await send('addRevocation', {
      raw: '{"kind":"user","subject":"kind","note":"a\\"b,kind"}',
    })
    assert.notEqual(status, 400, text)
  })

  test('the texts of a body are Unicode without NUL, at any depth', async () => {
    let tried = 0
    for (const name of bodyRoutes)
      for (const path of textsIn(samples[name].body))
        for (const part of ['\0', '\ud800', '\udc00', '\udc00\ud800']) {
          const { body } = structuredClone(samples[name])
          const object = path
            .slice(0, -1)
            .reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], body)
          Object.assign(object as object, { [path.at(-1)!]: `a${part}` })
          await refused(
            name,
            { sample: { ...samples[name], body: body! } },
            /contains a NUL or is not Unicode/,
          )
          tried++
        }
    assert.ok(tried > 4 * bodyRoutes.length, `${tried} cases`)
    const set = { ...samples.writeRevision.body, set: { 'pool.uses\ud800Max': 1 } }
    await refused('writeRevision', { sample: { body: set } }, /^set: contains a NUL or is not Unicode/)
  })

  test('a body is sent as application/json', async () => {
    const types = ['', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=a']
    const more = [
      'application/jsonp',
      'application/json-patch+json',
      'application/json; charset=utf-16',
      'json',
    ]
    for (const name of bodyRoutes)
      for (const type of [...types, ...more])
        await refused(name, { headers: { 'content-type': type } }, /content-type: application\/json/)
    for (const type of ['application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"']) {
      const { status, text } = await send('writeRevision', { headers: { 'content-type': type } })
      assert.notEqual(status, 400, text)
    }
  })

  test('a route without a body takes none', async () => {
    for (const name of routeNames)
      if (routes[name].method !== 'GET' && samples[name].body === undefined)
        for (const raw of ['{}', 'a=b', '\0'])
          await refused(name, { raw, headers: { 'content-type': 'text/plain' } }, /takes no body/)
  })

  test('a cursor is one of its list', async () => {
    const elsewhere = '6b3d3a3e-9d3c-4c6e-8f43-0d0b7f3b8d11'
    const cursors: Partial<Record<RouteName, Record<string, string>>> = {
      listTokens: { before: elsewhere },
      listTraces: { before: elsewhere },
      listEdges: { after: 'not-an-edge' },
    }
    for (const [name, query] of Object.entries(cursors) as [RouteName, Record<string, string>][])
      await refused(name, { sample: { query } }, /^The list has no row /)
    // Any number is a place in a list by number, also one that no row has.
    for (const [name, part, key, max] of numbers())
      if (part === 'query' && key === 'before')
        for (const cursor of ['0', '1', String(max)]) {
          const { status, text } = await send(name, { sample: { query: { before: cursor } } })
          assert.equal(status, 200, `${name} before ${cursor}: ${text}`)
        }
  })
})

type Part = 'params' | 'query'

/** Every parameter of every route. */
function parameters(): [RouteName, Part, string, z.ZodType][] {
  return routeNames.flatMap((name) => {
    const route: Route = routes[name]
    return (['params', 'query'] as const).flatMap((part) =>
      Object.entries((route[part]?.shape ?? {}) as Record<string, z.ZodType>).map(
        ([key, schema]): [RouteName, Part, string, z.ZodType] => [name, part, key, schema],
      ),
    )
  })
}

/** Every parameter that is a number, with the largest one. */
function numbers(): [RouteName, Part, string, number][] {
  return parameters().flatMap(([name, part, key, schema]) => {
    const { maximum } = z.toJSONSchema(schema, { unrepresentable: 'any' })
    return maximum === undefined ? [] : [[name, part, key, maximum] as [RouteName, Part, string, number]]
  })
}

function withParameter(name: RouteName, part: Part, key: string, value: string): ValidRequest {
  return { ...samples[name], [part]: { ...samples[name][part], [key]: value } }
}

/** The paths of all objects in a value, with its own. */
function objectsIn(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return []
  const inner = Object.entries(value).flatMap(([key, item]) => objectsIn(item, [...path, key]))
  return Array.isArray(value) ? inner : [path, ...inner]
}

/** The paths of all texts in a value. */
function textsIn(value: unknown, path: string[] = []): string[][] {
  if (typeof value === 'string') return [path]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, item]) => textsIn(item, [...path, key]))
}
