/** Lists, counts and histories of tokens with limits. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { AccessLimits } from '@imapfleet/api'
import type { RouteName } from './api.test-support.ts'
import { apiOfTenants, limited } from './limits.test-support.ts'
import { orderOf, revocationOf, traceOf, type Concern } from './two-tenants.test-support.ts'

suite('limits of lists', () => {
  const { headersOf, ask } = apiOfTenants()

  test('lists, counts and histories have exactly what is within the limits', async () => {
    const visible: Record<string, Concern[]> = {
      'a region': [
        'own',
        'ownInCapitals',
        'otherDomain',
        'misleading',
        'longer',
        'withoutDomain',
        'ownWithTwo',
      ],
      'a domain': ['own', 'ownInCapitals', 'otherRegion', 'allRegions', 'ownWithTwo'],
      'a region and a domain': ['own', 'ownInCapitals', 'ownWithTwo'],
    }
    for (const [kind, limits] of Object.entries(limited)) {
      const headers = await headersOf(limits)
      const listed = async (name: RouteName, key: string, of: string) => {
        const { text } = await ask(name, headers, { query: { limit: '500' } })
        const rows = (JSON.parse(text) as Record<string, Record<string, unknown>[]>)[key] ?? []
        // Without those that these tests have made.
        return rows
          .map((row) => String(row[of]))
          .filter((its) => /^0000|^10\d\d$/.test(its))
          .toSorted()
      }
      const sorted = (of: (concern: Concern) => string | number) =>
        visible[kind]!.map((concern) => String(of(concern))).toSorted()
      assert.deepEqual(await listed('listOrders', 'orders', 'id'), sorted(orderOf), kind)
      assert.deepEqual(await listed('listTraces', 'traces', 'id'), sorted(traceOf), kind)
      assert.deepEqual(await listed('listRevocations', 'revocations', 'sequence'), sorted(revocationOf), kind)
    }
    const totals = async (limits: AccessLimits, query: Record<string, string>) => {
      const asked = { metrics: 'sessions_total', from: '-10m', step: '10m', ...query }
      const { text } = await ask('readHistory', await headersOf(limits), { query: asked })
      const { groups } = JSON.parse(text) as { groups: { group: string; totals: number[] }[] }
      return groups.map(({ group, totals: all }) => [group, all[0]])
    }
    const [[, ofEu] = []] = await totals({}, { region: 'eu', groupBy: 'fleet' })
    assert.ok(typeof ofEu === 'number' && ofEu > 0 && ofEu < 100)
    for (const [groupBy, group] of [
      ['fleet', 'fleet'],
      ['region', 'eu'],
      ['edge', 'eu-1'],
    ] as const)
      assert.deepEqual(await totals({ regions: ['eu'] }, { groupBy }), [[group, ofEu]])
  })
})
