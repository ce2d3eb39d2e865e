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
    ready: async (page) => {
      await page.getByText('applied', { exact: true }).first().waitFor()
      await page.getByRole('table', { name: 'Failures by which the rollout is judged' }).waitFor()
    },
  },
  {
    name: 'trace',
    path: '/trace',
    ready: async (page) => {
      await page.getByRole('link', { name: 'alice' }).click()
      await page.getByRole('log').getByText('session ended').first().waitFor()
    },
  },
  {
    name: 'alerts',
    path: '/alerts',
    ready: (page) => page.getByRole('table', { name: 'Rules of alerts' }).waitFor(),
  },
  {
    name: 'access',
    path: '/access',
    ready: (page) => page.getByRole('table', { name: 'Tokens' }).waitFor(),
  },
  { name: 'orders', path: '/orders', ready: (page) => page.getByRole('table', { name: 'Orders' }).waitFor() },
  {
    name: 'audit',
    path: '/audit',
    ready: (page) => page.getByRole('table', { name: 'Audit log' }).waitFor(),
  },
]

const settled = async (page: Page) => {
  await page.getByText('Loading …').first().waitFor({ state: 'detached' })
  await page.getByText('…', { exact: true }).first().waitFor({ state: 'detached' })
}
const table = (name: string) => async (page: Page) => {
  await page.getByRole('table', { name }).waitFor()
  await settled(page)
}
const charts = async (page: Page) => {
  await page.locator('.u-over').first().waitFor()
  await settled(page)
}

/** Of a simulated fleet. Names of its edges depend on its size, so the edge is found on the overview. */
export const simulatedShots: readonly Shot[] = [
  { name: 'overview', path: '/', ready: charts },
  {
    name: 'jump',
    path: '/',
    ready: async (page) => {
      await page.locator('.long-table .rows tr').first().waitFor()
      await page.keyboard.press('Control+k')
      await page.getByRole('dialog').getByRole('combobox').fill('us')
      await page.getByRole('dialog').getByRole('option').nth(3).waitFor()
    },
  },
  {
    name: 'edge',
    path: '/?sort=edge',
    ready: async (page) => {
      await page.locator('.long-table .rows a').first().click()
      await page.getByRole('heading', { name: 'Mail servers', exact: true }).waitFor()
      await charts(page)
    },
  },
  { name: 'alerts', path: '/alerts', ready: table('Rules of alerts') },
  { name: 'history', path: '/history?groupBy=region', ready: charts },
  { name: 'config', path: '/config', ready: table('Revisions') },
  { name: 'config-effective', path: '/config?view=effective', ready: table('Effective keys of global') },
  {
    name: 'config-yaml',
    // The rollout locks the global layer.
    path: '/config?layer=region/eu-central&view=YAML',
    ready: async (page) => {
      const text = page.getByLabel('Layer as YAML')
      await text.fill('pool:\n  idleTimeoutMs: 300000\n  usesMax: 900\n')
      await text.press('ArrowUp')
      await page.getByRole('button', { name: 'Write …' }).waitFor()
    },
  },
  {
    name: 'write',
    path: '/config/2',
    ready: async (page) => {
      await page.getByRole('button', { name: 'Restore …' }).click()
      await page.getByText('in waves').click()
      await settled(page)
    },
  },
  { name: 'rollout', path: '/config/3', ready: table('Failures by which the rollout is judged') },
  { name: 'users', path: '/users?everybody=1', ready: table('Users') },
  { name: 'user', path: '/users?user=ben@example.org', ready: table('Connections') },
  { name: 'orders', path: '/orders', ready: table('Orders') },
  { name: 'access', path: '/access', ready: table('Tokens') },
  { name: 'audit', path: '/audit', ready: table('Audit log') },
]

/** Of a fleet without edges. */
export const emptyShots: readonly Shot[] = [
  ...['', 'alerts', 'history', 'config', 'users', 'trace', 'orders', 'access', 'audit'].map((path) => ({
    name: path === '' ? 'overview' : path,
    path: `/${path}`,
    ready: settled,
  })),
]
