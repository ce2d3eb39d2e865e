/** The API as the console uses it: the routes of packages/api, with parsers that need no schemas. */
import type { routes } from '@imapfleet/api'
import type { Contract, RouteShape } from '@imapfleet/client'
import type { OrderKind, OrderResult } from '@imapfleet/protocol'
import built from 'virtual:contract'
import { parserOf, type Shape } from './shape.ts'

const parser = (shape: Shape) => parserOf(shape, built.named)

const rowOf = ({ answer, line, events, ...row }: (typeof built.routes)[keyof typeof routes]): RouteShape => ({
  ...row,
  ...(answer && { answer: parser(answer) }),
  ...(line && { line: parser(line) }),
  ...(events && {
    events: Object.fromEntries(Object.entries(events).map(([name, shape]) => [name, parser(shape)])),
  }),
})

export const contract: Contract<typeof routes> = {
  routes: Object.fromEntries(
    Object.entries(built.routes).map(([name, row]) => [name, rowOf(row)]),
  ) as unknown as Record<keyof typeof routes, RouteShape>,
  problem: parser(built.problem),
}

/** The result of an order if it is of this kind. Control may have stored it before its last upgrade. */
export function resultOf<Kind extends OrderKind>(kind: Kind, result: unknown): OrderResult<Kind> | undefined {
  const parsed = parser(built.results[kind]).safeParse(result)
  return parsed.success ? (parsed.data as OrderResult<Kind>) : undefined
}
