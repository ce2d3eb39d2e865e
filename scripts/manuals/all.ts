/** Every part of the documentation that is made from the code. */
import { configuration } from './configuration.ts'
import { imapproxyKeywords } from './imapproxy-keywords.ts'
import { metrics } from './metrics.ts'

export const manuals = [configuration, metrics, imapproxyKeywords]
