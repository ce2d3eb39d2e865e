/** Every token that was ever made, newest first. */
import type { TokenView } from '@imapfleet/protocol'
import { listTokens as readTokens } from '../db/tokens.ts'
import type { Deps } from '../deps.ts'
import { tokenView } from '../views/token-view.ts'

export async function listTokens({ db }: Deps): Promise<TokenView[]> {
  return (await readTokens(db.orm)).map(tokenView)
}
