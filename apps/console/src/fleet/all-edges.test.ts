import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EdgeView } from '@imapfleet/api'
import type { ApiClient } from '@imapfleet/client'
import { pauseMs, readWholeFleet } from './all-edges.ts'

const edges = Array.from({ length: 7 }, (_, index) => ({ id: `eu-${index}` }) as EdgeView)

test('a fleet that is larger than one page is shown whole', async () => {
  const asked: unknown[] = []
  const call = (async (_: 'listEdges', { query: { after } }: { query: { after?: string } }) => {
    asked.push(after)
    const from = after === undefined ? 0 : edges.findIndex(({ id }) => id === after) + 1
    const page = edges.slice(from, from + 3)
    return { edges: page, problems: ['restored'], next: from + 3 < edges.length ? page.at(-1)?.id : null }
  }) as unknown as ApiClient['call']
  const fleet = await readWholeFleet(call, new AbortController().signal)
  assert.deepEqual(
    fleet.edges.map(({ id }) => id),
    edges.map(({ id }) => id),
  )
  assert.deepEqual(fleet.problems, ['restored'])
  assert.deepEqual(asked, [undefined, 'eu-2', 'eu-5'])
})

test('a screen asks for a large fleet less often', () => {
  assert.equal(pauseMs({ edges: [] }), 2_000)
  assert.equal(pauseMs({ edges: Array.from({ length: 10_000 }, () => edges[0]!) }), 20_000)
})
