/** Actions that are only offered to those who may use the route. */
import type { routes } from '@imapfleet/api'
import type { ComponentChildren } from 'preact'
import { mayCall } from '../api/rights.ts'

export const WithRight = ({ to, children }: { to: keyof typeof routes; children: ComponentChildren }) =>
  mayCall(to) ? <>{children}</> : null
