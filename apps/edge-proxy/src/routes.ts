/** Which upstream a user goes to: the first route that fits, else the first upstream. Without side effects. */
import type { EdgeConfig, RouteConfig } from '@imapfleet/config'

/** Name of the upstream for this user on this listener. */
export function routeOf(config: EdgeConfig, user: string, listener: string): string {
  const route = config.routes.find((candidate) => fits(candidate, user, listener))
  return route?.upstream ?? (config.upstreams['main'] ? 'main' : Object.keys(config.upstreams)[0]!)
}

function fits(route: RouteConfig, user: string, listener: string): boolean {
  if (route.listener !== undefined && route.listener !== listener) return false
  if (route.domain !== undefined && !user.toLowerCase().endsWith(`@${route.domain.toLowerCase()}`))
    return false
  return route.user === undefined || wildcard(route.user, user)
}

function wildcard(pattern: string, text: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`, 'is').test(text)
}
