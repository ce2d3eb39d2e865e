/** All tokens, including revoked and expired ones, newest first. */
import type { TokenView } from '@imapfleet/api'
import { selectTokens } from './tokens.ts'
import type { Deps } from '../../deps.ts'
import { tokenView } from './token-view.ts'
import { pageOf, type PageWish } from '../../platform/db/page-of.ts'

export async function listTokens(
  { db }: Deps,
  page: PageWish<string>,
): Promise<{ tokens: TokenView[]; next: string | null }> {
  const { shown, next } = await pageOf(
    page,
    (asked) => selectTokens(db.orm, asked),
    ({ id }) => id,
  )
  return { tokens: shown.map(tokenView), next }
}
