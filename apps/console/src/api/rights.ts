/** The rights of the signed-in user. Pages and actions outside these rights are not offered. */
import { isAtLeast, limitAgainst, limitsText, mayUse, type routes } from '@imapfleet/api'
import built from 'virtual:contract'
import { session } from './session.ts'

type RouteName = keyof typeof routes

/** True before the sign-in, when no page is shown. */
export const mayCall = (name: RouteName): boolean =>
  session.value.state !== 'in' || mayUse(session.value.who, built.routes[name])

/** Whether a token with this role and these limits would allow the route. */
export const wouldAllow = (rights: Parameters<typeof mayUse>[0], name: RouteName): boolean =>
  mayUse(rights, built.routes[name])

/** A sentence on why the user may not use the route. Empty: the user may. */
export function refusalOf(name: RouteName): string {
  if (mayCall(name) || session.value.state !== 'in') return ''
  const route = built.routes[name]
  const { who } = session.value
  if (route.role !== 'none' && !isAtLeast(who.role, route.role))
    return `${who.name} has the role ${who.role}; this needs the role ${route.role}.`
  return `${who.name} is limited to ${limitsText(who.limits)}; this needs rights without a limit to ${limitAgainst(route, who.limits)}.`
}
