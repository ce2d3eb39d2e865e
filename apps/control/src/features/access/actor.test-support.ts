/** Actors with real tokens, for tests of what lasts only as long as a token is valid. */
import type { Deps } from '../../deps.ts'
import type { Actor } from '../../platform/access.ts'
import { createToken } from './service.ts'

/** An operator with a new token. */
export async function newOperator(deps: Pick<Deps, 'db' | 'now'>, name: string): Promise<Actor> {
  const { id } = await createToken(deps, 'the tests', { name, role: 'operator', scopes: [] })
  return { id, name, role: 'operator', scopes: [], limits: {} }
}
