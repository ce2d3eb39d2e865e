/** The pages of the main navigation, in its order. */
import type { IconName } from './icon.tsx'

interface PageEntry {
  href: string
  title: string
  icon: IconName
  /** Another path whose pages belong to it. */
  within?: string
}

export const pageEntries: readonly PageEntry[] = [
  { href: '/', title: 'Overview', icon: 'overview', within: '/edges' },
  { href: '/alerts', title: 'Alerts', icon: 'alerts' },
  { href: '/history', title: 'History', icon: 'history' },
  { href: '/trace', title: 'Trace', icon: 'trace' },
  { href: '/config', title: 'Config', icon: 'config' },
  { href: '/users', title: 'Users', icon: 'users' },
  { href: '/orders', title: 'Orders', icon: 'orders' },
  { href: '/access', title: 'Access', icon: 'access' },
  { href: '/audit', title: 'Audit', icon: 'audit' },
]
