import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiClient } from '@imapfleet/client'
import { readConfigState } from './config-state.ts'

/** Control that answers each route with the next of its answers, and then with the last one. */
function control(answers: Record<string, unknown[]>): ApiClient['call'] {
  const call = async (name: string) => {
    const left = answers[name] ?? []
    return await Promise.resolve(left.length > 1 ? left.shift() : left[0])
  }
  return call as ApiClient['call']
}
const signal = new AbortController().signal
const rollouts = (revision: number, state: string) => ({ rollouts: [{ revision, state }], next: null })
const revision = { revision: { revision: 5, layer: { kind: 'global' }, changes: [] }, edges: [] }

test('a rollout under way comes with its revision, and one that is over does not', async () => {
  const layers = { revision: 5, layers: {} }
  const running = await readConfigState(
    control({ listRollouts: [rollouts(5, 'paused')], readConfig: [layers], readRevision: [revision] }),
    signal,
  )
  assert.deepEqual([running.rolling?.revision, running.coming?.revision], [5, 5])
  const over = await readConfigState(
    control({ listRollouts: [rollouts(5, 'completed')], readConfig: [layers] }),
    signal,
  )
  assert.deepEqual([over.rolling, over.coming], [undefined, undefined])
})

test('layers that were read before a rollout ended are not shown as those after it', async () => {
  const state = await readConfigState(
    control({
      listRollouts: [rollouts(5, 'running'), rollouts(5, 'completed')],
      readConfig: [
        { revision: 5, layers: {} },
        { revision: 5, layers: { global: { pool: { usesMax: 7 } } } },
      ],
    }),
    signal,
  )
  assert.deepEqual([state.rolling, state.layers], [undefined, { global: { pool: { usesMax: 7 } } }])
})

test('a rollout that began after the layers were read is not overlooked', async () => {
  const state = await readConfigState(
    control({
      listRollouts: [{ rollouts: [], next: null }, rollouts(5, 'running')],
      readConfig: [
        { revision: 4, layers: {} },
        { revision: 5, layers: {} },
      ],
      readRevision: [revision],
    }),
    signal,
  )
  assert.deepEqual([state.revision, state.rolling?.revision], [5, 5])
})
