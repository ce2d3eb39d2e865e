/** Routes of statistics. */
import { historyCsv, type historyRoutes } from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import { TextReply, type Handlers } from '../../platform/http/handlers.ts'
import { readHistory } from './service.ts'

export const historyHandlers = (deps: Deps): Handlers<typeof historyRoutes> => ({
  readHistory: async ({ actor, query: { format, ...question } }) => {
    const history = await readHistory(deps, actor.limits, question)
    if (format === 'json') return history
    return new TextReply(historyCsv(history), {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': 'attachment; filename="imapfleet-history.csv"',
    })
  },
})
