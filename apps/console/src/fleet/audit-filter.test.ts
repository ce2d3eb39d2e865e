import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiClient } from '@imapfleet/client'
import { auditFilterIn, auditQuery, exportedEntries, exportedMax, isFiltered } from './audit-filter.ts'

const filterIn = (address: string) => auditFilterIn(new URLSearchParams(address))
const now = Date.parse('2026-11-28T03:00:00Z')

test('the address selects by actor, action, target and time, and what is no time is ignored', () => {
  assert.deepEqual(auditQuery(filterIn('actor=ann&action=edges.drain&target=eu-1&from=-24h'), now), {
    actor: 'ann',
    action: 'edges.drain',
    target: 'eu-1',
    from: '2026-11-27T03:00:00.000Z',
    to: undefined,
  })
  const times = auditQuery(filterIn('from=2026-11-01T00:00:00%2B02:00&to=2026-11-02T00:00:00Z'), now)
  assert.deepEqual([times.from, times.to], ['2026-10-31T22:00:00.000Z', '2026-11-02T00:00:00.000Z'])
  assert.equal(isFiltered(filterIn('from=yesterday&to=-1h&actor=')), false)
  assert.equal(isFiltered(filterIn('from=-7d')), true)
})

test('an export has all pages of the filter, and says if it does not have all entries', async () => {
  const asked: unknown[] = []
  const control = (total: number) =>
    (async (_name: string, { query }: { query: { before?: number; limit: number; actor?: string } }) => {
      asked.push(query.actor)
      const start = query.before ?? total
      const entries = Array.from({ length: Math.min(query.limit, start) }, (_, index) => ({
        id: start - index - 1,
      }))
      const last = start - entries.length
      return await Promise.resolve({ entries, next: last > 0 ? last : null })
    }) as unknown as ApiClient['call']
  const small = await exportedEntries(control(1_200), filterIn('actor=ann'), now)
  assert.deepEqual([small.entries.length, small.entries.at(-1)?.id, small.isWhole], [1_200, 0, true])
  assert.deepEqual(asked, ['ann', 'ann', 'ann'])
  const large = await exportedEntries(control(exportedMax + 1), filterIn(''), now)
  assert.deepEqual([large.entries.length, large.isWhole], [exportedMax, false])
})
