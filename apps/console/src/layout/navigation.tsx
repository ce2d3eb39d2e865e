/** The main navigation. */
import { path } from '../router/location.ts'
import { PageLink } from '../router/link.tsx'
import { Icon, type IconName } from './icon.tsx'

const entries: { href: string; title: string; icon: IconName; within?: string }[] = [
  { href: '/', title: 'Overview', icon: 'overview', within: '/edges' },
  { href: '/alerts', title: 'Alerts', icon: 'alerts' },
  { href: '/history', title: 'History', icon: 'history' },
  { href: '/trace', title: 'Trace', icon: 'trace' },
  { href: '/config', title: 'Config', icon: 'config' },
  { href: '/users', title: 'Users', icon: 'users' },
  { href: '/orders', title: 'Orders', icon: 'orders' },
  { href: '/audit', title: 'Audit', icon: 'audit' },
]

const isWithin = (here: string, root: string) => here === root || here.startsWith(`${root}/`)

export const Navigation = ({ onGone }: { onGone: () => void }) => (
  <nav id="navigation" aria-label="Pages">
    {entries.map(({ href, title, icon, within = href }) => {
      const isHere = path.value === href || isWithin(path.value, within)
      return (
        <PageLink key={href} href={href} onClick={onGone} {...(isHere ? { 'aria-current': 'page' } : {})}>
          <Icon name={icon} />
          {title}
        </PageLink>
      )
    })}
  </nav>
)
