/** The pages of the main navigation, in order, and the pages that the user may open. */
import type { routes } from '@imapfleet/api'
import { mayCall, wouldAllow } from '../api/rights.ts'
import type { IconName } from './icon.tsx'

export interface PageEntry {
  href: string
  title: string
  icon: IconName
  /** The route without which the page has nothing to show. */
  needs: keyof typeof routes
  /** Another path with pages of the same entry. */
  within?: string
}

const pageEntries: readonly PageEntry[] = [
  { href: '/', title: 'Overview', icon: 'overview', needs: 'listEdges', within: '/edges' },
  { href: '/alerts', title: 'Alerts', icon: 'alerts', needs: 'listAlerts' },
  { href: '/history', title: 'History', icon: 'history', needs: 'readHistory' },
  { href: '/trace', title: 'Trace', icon: 'trace', needs: 'listTraces' },
  { href: '/config', title: 'Config', icon: 'config', needs: 'readConfig' },
  { href: '/users', title: 'Users', icon: 'users', needs: 'giveOrder' },
  { href: '/orders', title: 'Orders', icon: 'orders', needs: 'listOrders' },
  { href: '/access', title: 'Access', icon: 'access', needs: 'listTokens' },
  { href: '/audit', title: 'Audit', icon: 'audit', needs: 'listAudit' },
]

export const openEntries = (): readonly PageEntry[] => pageEntries.filter(({ needs }) => mayCall(needs))

/** Whether a token with this role and these limits would open any page. */
export const opensPage = (rights: Parameters<typeof wouldAllow>[0]): boolean =>
  pageEntries.some(({ needs }) => wouldAllow(rights, needs))

/** The entry that a path belongs to; undefined for a page outside the navigation. */
export const entryOf = (path: string): PageEntry | undefined =>
  pageEntries.find(
    ({ href, within = href }) => path === href || path === within || path.startsWith(`${within}/`),
  )
