/** Which page is at which path. */
import type { ComponentType } from 'preact'
import type { Params } from '../router/match.ts'
import { Audit } from './audit.tsx'

/** A page is given the names in its path as properties; `key` of all of them makes another name another page. */
export const pages: readonly { path: string; Page: ComponentType<Params> }[] = [
  { path: '/audit', Page: Audit },
]
