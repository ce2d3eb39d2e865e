/** An API with the data of two tenants, and requests of tokens with limits. */
import { after, before } from 'node:test'
import type { AccessLimits } from '@imapfleet/api'
import type { OrderAction } from '@imapfleet/protocol'
import { testApi, type RouteName, type TestApi, type ValidRequest } from './api.test-support.ts'
import { createToken } from './features/access/service.ts'
import { fillForTenants, type Tenants } from './two-tenants.test-support.ts'

export type LimitedHeaders = Record<string, string>

/** Call it in a suite: the API exists for all of its tests. The tokens are admins by the database, so that only limits refuse. */
export function apiOfTenants() {
  let started: { api: TestApi; tenants: Tenants } | undefined
  before(async () => {
    const api = await testApi()
    started = { api, tenants: await fillForTenants(api.deps) }
  })
  after(async () => await started?.api.close())
  const now = () => {
    if (!started) throw new Error('the API has not been started')
    return started
  }

  const headersOf = async (limits: AccessLimits): Promise<LimitedHeaders> => {
    const { deps } = now().api
    const { token, id: its } = await createToken(deps, 'root', {
      ...{ name: 'limited', role: 'operator', scopes: ['trace-bodies'], limits },
    })
    await deps.db.sql`update tokens set role = 'admin' where id = ${its}`
    return { authorization: `Bearer ${token}`, 'x-imapfleet-console': '1' }
  }

  /** The status and the beginning of the answer: of a stream its first event. */
  const ask = async (name: RouteName, headers: LimitedHeaders, sample: ValidRequest) => {
    const response = await now().api.ask(name, { headers, sample })
    return { status: response.status, text: await beginningOf(response) }
  }

  return { deps: () => now().api.deps, tenants: () => now().tenants, headersOf, ask }
}

export const problemCodeIn = (text: string): string => (JSON.parse(text) as { code: string }).code

/** Limits of each kind. */
export const limited: Readonly<Record<string, AccessLimits>> = {
  'a region': { regions: ['eu'] },
  'a domain': { domains: ['own.example'] },
  'a region and a domain': { regions: ['eu'], domains: ['own.example'] },
}

export const orderWith = (
  action: OrderAction,
  target: object = { kind: 'region', name: 'eu' },
): ValidRequest => ({
  body: { target, action, timeoutMs: 100 },
})

/** Of a stream the text up to its first event; otherwise all of it. */
async function beginningOf(response: Response): Promise<string> {
  if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true)
    return await response.text()
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  while (!/^data: .*\n\n/m.test(text)) {
    const { value, done } = await reader.read()
    if (done) break
    text += value
  }
  await reader.cancel()
  return text
}
