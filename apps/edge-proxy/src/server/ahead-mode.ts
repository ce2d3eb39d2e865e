/** The mode of answer-ahead for a server, from `upstreams.NAME.ahead` and its hosts. */
import type { UpstreamConfig } from '@imapfleet/config'

export type AheadMode = 'off' | 'learn' | 'on'

/** Domains of providers that meter commands or bandwidth, and throttle users who have used up their quota. */
const metered = [
  ...['gmail.com', 'googlemail.com'],
  ...['office365.com', 'office365.us', 'office.com', 'outlook.com', 'outlook.cn'],
]

/** Whether the host belongs to a provider that meters commands or bandwidth. */
export function isMetered(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '')
  return metered.some((domain) => name === domain || name.endsWith(`.${domain}`))
}

/** An explicit value applies to any host. */
export function aheadMode({ ahead, hosts }: Pick<UpstreamConfig, 'ahead' | 'hosts'>): AheadMode {
  if (ahead !== 'auto') return ahead
  return hosts.some(isMetered) ? 'off' : 'on'
}
