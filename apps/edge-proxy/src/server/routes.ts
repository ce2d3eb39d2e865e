/** Which upstream a user goes to: the first route that fits, else the first upstream. Without side effects. */
import type { EdgeConfig, RouteConfig } from '@imapfleet/config'

/** Name of the upstream for this user on this listener. */
export function routeOf(config: EdgeConfig, user: string, listener: string): string {
  const route = config.routes.find((candidate) => fits(candidate, user, listener))
  return route?.upstream ?? presetUpstream(config)
}

const presetUpstream = ({ upstreams }: EdgeConfig): string =>
  upstreams['main'] ? 'main' : Object.keys(upstreams)[0]!

const reachable = new WeakMap<EdgeConfig, Map<string, readonly string[]>>()

/** Every upstream that a client of this listener may end up at. */
export function upstreamsOn(config: EdgeConfig, listener: string): readonly string[] {
  let known = reachable.get(config)
  if (!known) reachable.set(config, (known = new Map()))
  let names = known.get(listener)
  if (names) return names
  const routes = config.routes.filter((route) => route.listener === undefined || route.listener === listener)
  const isPresetHidden = routes.some((route) => route.domain === undefined && route.user === undefined)
  const routed = routes.map(({ upstream }) => upstream)
  names = [...new Set(isPresetHidden ? routed : [presetUpstream(config), ...routed])]
  known.set(listener, names)
  return names
}

function fits(route: RouteConfig, user: string, listener: string): boolean {
  if (route.listener !== undefined && route.listener !== listener) return false
  if (route.domain !== undefined && !user.toLowerCase().endsWith(`@${route.domain.toLowerCase()}`))
    return false
  return route.user === undefined || wildcard(route.user, user)
}

/** `*` stands for any characters, everything else for itself in any case. Takes time in proportion to the text. */
function wildcard(pattern: string, text: string): boolean {
  const parts = pattern.toLowerCase().split('*')
  const lower = text.toLowerCase()
  const first = parts[0]!
  const last = parts.at(-1)!
  if (parts.length === 1) return lower === first
  if (!lower.startsWith(first) || !lower.endsWith(last) || lower.length < first.length + last.length)
    return false
  let at = first.length
  for (const part of parts.slice(1, -1)) {
    const found = lower.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return at <= lower.length - last.length
}
