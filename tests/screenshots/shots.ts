/** The pages of the screenshots, and what to do on each before the picture is taken. */
import type { Page } from 'playwright-core'

export interface Shot {
  name: string
  path: string
  /** Resolves when the content is visible. */
  ready: (page: Page) => Promise<unknown>
}

export const shots: readonly Shot[] = [
  {
    name: 'overview',
    path: '/?range=5m',
    ready: async (page) => {
      await page.locator('.fleet-charts .u-over').nth(5).waitFor()
      // There are four edges, whose figures arrive together.
      await page.locator('.long-table .rows tr').nth(3).waitFor()
      await page.getByRole('cell', { name: '…', exact: true }).first().waitFor({ state: 'detached' })
      await page.getByRole('region', { name: 'Under way' }).waitFor()
    },
  },
  {
    name: 'edge',
    path: '/edges/eu-1?range=5m',
    ready: async (page) => {
      await page.getByRole('table', { name: 'Reasons for refused reuse' }).waitFor()
      await page.locator('.fleet-charts .u-over').nth(5).waitFor()
    },
  },
  {
    name: 'users',
    path: '/users?user=alice',
    ready: async (page) => {
      await page.getByRole('table', { name: 'Connections' }).waitFor()
      await page.getByRole('table', { name: 'Revocations' }).waitFor()
    },
  },
  {
    name: 'history',
    path: '/history?from=-5m&groupBy=edge',
    ready: (page) =>
      page
        .getByRole('img', { name: /over time$/ })
        .first()
        .waitFor(),
  },
  {
    name: 'config',
    path: '/config?layer=region/eu',
    ready: async (page) => {
      await page.getByRole('table', { name: 'Keys of region/eu' }).waitFor()
      await page.getByRole('table', { name: 'Revisions' }).waitFor()
    },
  },
  {
    name: 'rollout',
    path: '/config/2',
    ready: (page) => page.getByText('applied', { exact: true }).first().waitFor(),
  },
  {
    name: 'trace',
    path: '/trace',
    ready: async (page) => {
      await page.getByRole('link', { name: 'alice' }).click()
      await page.getByRole('log').getByText('session ended').first().waitFor()
    },
  },
  { name: 'orders', path: '/orders', ready: (page) => page.getByRole('table', { name: 'Orders' }).waitFor() },
  {
    name: 'audit',
    path: '/audit',
    ready: (page) => page.getByRole('table', { name: 'Audit log' }).waitFor(),
  },
]
