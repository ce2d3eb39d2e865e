/** The paths of all pages. */
import type { PathParams } from '@imapfleet/api'
import type { ComponentType } from 'preact'
import { Access } from './access.tsx'
import { Alerts } from './alerts.tsx'
import { Audit } from './audit.tsx'
import { CliLogin } from './cli-login.tsx'
import { Config } from './config.tsx'
import { EdgePage } from './edge.tsx'
import { HistoryPage } from './history.tsx'
import { OrderPage } from './order.tsx'
import { OrdersPage } from './orders.tsx'
import { Overview } from './overview.tsx'
import { Revision } from './revision.tsx'
import { Trace } from './trace.tsx'
import { Traces } from './traces.tsx'
import { Users } from './users.tsx'

/** A page gets the parameters of its path as properties. Other parameters make it another page. */
export const pages: readonly { path: string; Page: ComponentType<PathParams> }[] = [
  { path: '/', Page: Overview },
  { path: '/alerts', Page: Alerts },
  { path: '/edges/:id', Page: EdgePage },
  { path: '/history', Page: HistoryPage },
  { path: '/trace', Page: Traces },
  { path: '/trace/:id', Page: Trace },
  { path: '/config', Page: Config },
  { path: '/config/:revision', Page: Revision },
  { path: '/users', Page: Users },
  { path: '/orders', Page: OrdersPage },
  { path: '/orders/:id', Page: OrderPage },
  { path: '/access', Page: Access },
  { path: '/audit', Page: Audit },
  { path: '/cli-login', Page: CliLogin },
]
