/** Whether questions are asked ahead of the clients of a server, as `upstreams.NAME.ahead` and its hosts decide. */
import type { UpstreamConfig } from '@imapfleet/config'

export type AheadMode = 'off' | 'learn' | 'on'

/** Domains of providers that meter commands or bandwidth, and slow a user down who has used up the quota. */
const metered = [
  ...['gmail.com', 'googlemail.com'],
  ...['office365.com', 'office365.us', 'office.com', 'outlook.com', 'outlook.cn'],
]

/** Whether the host is one of a provider that meters what its users ask. */
export function isMetered(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '')
  return metered.some((domain) => name === domain || name.endsWith(`.${domain}`))
}

/** An explicit value holds for any host. */
export function aheadMode({ ahead, hosts }: Pick<UpstreamConfig, 'ahead' | 'hosts'>): AheadMode {
  if (ahead !== 'auto') return ahead
  return hosts.some(isMetered) ? 'off' : 'on'
}
