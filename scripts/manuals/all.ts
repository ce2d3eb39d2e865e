/** Everything in the repository that is generated from the code. */
import { alertRulesManual } from './alert-rules.ts'
import { configuration } from './configuration.ts'
import { imapproxyKeywords } from './imapproxy-keywords.ts'
import { metricsManual } from './metrics.ts'
import { openApi } from './openapi.ts'

/** Parts of pages. */
export const manuals = [configuration, metricsManual, imapproxyKeywords, alertRulesManual]

export const wholeFiles = [openApi]
